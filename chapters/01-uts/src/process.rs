// ANCHOR: intro
//! How does a process start a child in new namespaces, and learn how it ended?

use std::{
    convert::Infallible,
    io::PipeReader,
    os::fd::{AsFd, OwnedFd},
    sync::OnceLock,
};

use anyhow::{Context, anyhow};
use lab::{Exit, Failure, errors, voice, why};
use lab::{debug, info};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sched::{CloneFlags, clone},
    sys::{
        prctl,
        signal::{SigSet, Signal, kill},
        signalfd::{SfdFlags, SignalFd, siginfo},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

/// The child's stack. It only has to carry the child to its execve(2).
const STACK_SIZE: usize = 1 << 20;

/// The signals that would end the parent; it passes them on instead, and ends when the child has.
pub const PASSED_ON: [Signal; 6] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];
// ANCHOR_END: intro

// ANCHOR: child
/// A child that [`spawn`] started. Dropped before it was waited for, it is killed.
#[must_use]
pub struct Child {
    pid: Pid,
    errors: PipeReader,
    signals: SignalFd,
    mask_before: SigSet,
    ended: bool,
}

/// A signal that the parent got while it waited for its child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Which one.
    pub signal: Signal,
    /// A terminal's Ctrl-C goes to all the processes in the foreground: the child got it too.
    pub child_has_it: bool,
}
// ANCHOR_END: child

// ANCHOR: spawn
/// Starts `child` in a new process, in the new namespaces that `flags` ask for
/// (`CLONE_NEW*`, clone(2)). It ends in an execve(2) or in an error; the error comes
/// back from [`Child::wait`]. The child dies when its parent does.
///
/// The process must have one thread only: of several, the child would inherit just this
/// one, and with it the locks that the others held.
///
/// # Errors
///
/// EPERM without CAP_SYS_ADMIN (but for a user namespace), ENOSPC at a limit of
/// namespaces(7), EINVAL where the kernel lacks a namespace.
pub fn spawn(
    flags: CloneFlags,
    child: impl FnOnce() -> anyhow::Result<Infallible>,
) -> anyhow::Result<Child> {
    if !flags.is_empty() {
        info!("cloning: {}", why::namespace_names(flags));
    }
    let (errors, to_parent) = std::io::pipe().context("make a pipe")?;
    let callers_mask = callers_mask()?;
    let (signals, mask_before) = catch_signals()?;

    let mut parents_end = Some(errors);
    let mut childs_part = Some((child, to_parent));
    let cloned = clone_process(flags, || {
        parents_end = None; // the child's copy: a pipe has no reader when nobody holds that end
        let Some((child, to_parent)) = childs_part.take() else {
            return 0;
        };
        in_child(to_parent.into(), &callers_mask, child)
    });

    drop(childs_part); // with the parent's copy of the writing end, or it would wait for itself
    match (cloned, parents_end) {
        (Ok(pid), Some(errors)) => Ok(Child {
            pid,
            errors,
            signals,
            mask_before,
            ended: false,
        }),
        (outcome, _) => {
            mask_before.thread_set_mask().context("restore the signal mask")?;
            let errno = outcome.err().unwrap_or(Errno::EINVAL);
            Err(anyhow!(
                "clone into new namespaces ({}): {}: {}",
                why::namespace_names(flags),
                errno.desc(),
                why::namespaces(flags, errno)
            ))
        }
    }
}

/// clone(2) without CLONE_VM: `child` runs in a new process, on its own copy of this one's
/// memory, and returns the status with which that process ends.
///
/// # Errors
///
/// As clone(2).
pub fn clone_process(flags: CloneFlags, mut child: impl FnMut() -> u8) -> nix::Result<Pid> {
    let mut stack = vec![0; STACK_SIZE];
    let callback = Box::new(|| isize::from(child()));
    // SAFETY: the child has a copy of `stack` as of everything else, and only prepares an
    // execve(2) on it. This process has one thread, so no lock is held by another.
    unsafe { clone(callback, &mut stack, flags, Some(Signal::SIGCHLD as i32)) }
}
// ANCHOR_END: spawn

// ANCHOR: signals
/// Blocks for good the signals that a parent passes on: none ends this process any more,
/// but those that it hands to its child while it waits.
///
/// # Errors
///
/// Those of sigprocmask(2).
pub fn hold_signals() -> anyhow::Result<()> {
    callers_mask()?;
    SigSet::from_iter(PASSED_ON).thread_block().context("block signals")
}

/// The signals that were blocked when this program was started; every child begins with the same.
fn callers_mask() -> anyhow::Result<SigSet> {
    static MASK: OnceLock<SigSet> = OnceLock::new();
    let now = SigSet::thread_get_mask().context("read the signal mask")?;
    Ok(*MASK.get_or_init(|| now))
}

/// Blocks the signals that the parent waits for, so that none is lost and none ends it early.
fn catch_signals() -> anyhow::Result<(SignalFd, SigSet)> {
    let mut caught = SigSet::from_iter(PASSED_ON);
    caught.add(Signal::SIGCHLD);
    let mask_before = SigSet::thread_get_mask().context("read the signal mask")?;
    caught.thread_block().context("block signals")?;
    let signals =
        SignalFd::with_flags(&caught, SfdFlags::SFD_CLOEXEC).context("make a signalfd")?;
    Ok((signals, mask_before))
}
// ANCHOR_END: signals

// ANCHOR: in-child
/// The child's whole life, up to its execve(2). Returns the exit status of a failure.
fn in_child(
    to_parent: OwnedFd,
    signal_mask: &SigSet,
    child: impl FnOnce() -> anyhow::Result<Infallible>,
) -> u8 {
    voice::speak_as("child");
    voice::report_to(to_parent);
    let prepared = signal_mask
        .thread_set_mask()
        .context("restore the signal mask")
        .and_then(|()| die_with_parent());
    match prepared.and_then(|()| child()) {
        Ok(never) => match never {},
        Err(error) => errors::report(&error),
    }
}

/// Asks the kernel for SIGKILL when the parent ends (PR_SET_PDEATHSIG, prctl(2)).
///
/// The request belongs to the parent's THREAD that cloned, not to its process, and it is
/// forgotten when this process changes its ids: ask again after that.
///
/// # Errors
///
/// The parent has ended already.
pub fn die_with_parent() -> anyhow::Result<()> {
    // ANCHOR: exercise-parent
    prctl::set_pdeathsig(Signal::SIGKILL).context("prctl PR_SET_PDEATHSIG")?;
    // ANCHOR_END: exercise-parent
    // The parent may have ended before the request. getppid(2) cannot tell from a new PID
    // namespace, but the pipe can: without a reader it has an error.
    if let Some(pipe) = voice::error_pipe() {
        let mut watched = [PollFd::new(pipe.as_fd(), PollFlags::empty())];
        poll(&mut watched, PollTimeout::ZERO).context("poll the pipe to the parent")?;
        let gone = watched[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR));
        anyhow::ensure!(!gone, "the parent has ended");
    }
    Ok(())
}
// ANCHOR_END: in-child

// ANCHOR: wait
impl Child {
    /// The child's pid in the parent's PID namespace.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Waits until the child has ended, and passes on to it the signals that the parent
    /// gets meanwhile (waitpid(2), signalfd(2)).
    ///
    /// # Errors
    ///
    /// The error of a child that never became the command.
    pub fn wait(self) -> anyhow::Result<Exit> {
        self.wait_and(pass_on)
    }

    /// As [`Child::wait`], but `pass_on` decides what to do with a signal; SIGCHLD is one too.
    ///
    /// # Errors
    ///
    /// As [`Child::wait`], and whatever `pass_on` returns but ESRCH.
    pub fn wait_and(
        mut self,
        pass_on: impl Fn(Pid, Arrived) -> nix::Result<()>,
    ) -> anyhow::Result<Exit> {
        let exit = self.end(pass_on)?;
        self.outcome(exit)
    }

    fn end(&mut self, pass_on: impl Fn(Pid, Arrived) -> nix::Result<()>) -> anyhow::Result<Exit> {
        let exit = loop {
            // ANCHOR: exercise-wait
            // First the question, then the sleep: a SIGCHLD that came before is no loss,
            // and the pid, not the signal, says whose end it was.
            match waitpid(self.pid, Some(WaitPidFlag::WNOHANG))
                .with_context(|| format!("waitpid {}", self.pid))?
            {
                WaitStatus::Exited(_, code) => break Exit::Code(code as u8),
                WaitStatus::Signaled(_, signal, _) => break Exit::Signal(signal),
                _ => {}
            }
            let Some(arrived) = self.signals.read_signal().context("read the signalfd")? else {
                continue;
            };
            self.handle(&arrived, &pass_on)?;
            // ANCHOR_END: exercise-wait
        };
        self.ended = true;
        debug!("reaped {}", self.pid);
        Ok(exit)
    }

    /// `exit`, with which this child has ended, or the error that it had.
    pub fn outcome(self, exit: Exit) -> anyhow::Result<Exit> {
        match errors::received(self.errors.try_clone()?).context("read the child's error")? {
            Some(failure) => Err(Failure {
                message: said_inside(failure.message),
                ..failure
            }
            .into()),
            None => {
                info!("{} ended with {exit}", self.pid);
                Ok(exit)
            }
        }
    }

    /// Waits as [`Child::wait`] for a child that makes a sibling with CLONE_PARENT (clone(2)) and
    /// leaves. What it made is this child from then on: see [`Child::succeeded_by`].
    ///
    /// # Errors
    ///
    /// Those of waitpid(2).
    pub fn wait_until_it_leaves(&mut self) -> anyhow::Result<Exit> {
        self.end(pass_on)
    }

    /// The sibling of a child that has left.
    pub fn succeeded_by(mut self, sibling: Pid) -> Child {
        self.pid = sibling;
        self.ended = false;
        self
    }

    fn signal_waits(&self) -> bool {
        let mut watched = [PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        poll(&mut watched, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }

    fn handle(
        &self,
        info: &siginfo,
        pass_on: impl Fn(Pid, Arrived) -> nix::Result<()>,
    ) -> anyhow::Result<()> {
        let signal = Signal::try_from(info.ssi_signo as i32)?;
        // A code above zero: the kernel sent it, not a process (sigaction(2)).
        let arrived = Arrived {
            signal,
            child_has_it: info.ssi_code > 0,
        };
        match pass_on(self.pid, arrived) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(errno).with_context(|| format!("pass {signal} on to {}", self.pid)),
        }
    }
}

/// Signals are the child's, unless a terminal has sent it the same.
fn pass_on(child: Pid, arrived: Arrived) -> nix::Result<()> {
    match arrived {
        Arrived {
            signal: Signal::SIGCHLD,
            ..
        }
        | Arrived {
            child_has_it: true, ..
        } => Ok(()),
        Arrived { signal, .. } => kill(child, signal),
    }
}

/// An error passes through as many parents as there are; one word for all of them is enough.
fn said_inside(message: String) -> String {
    if message.starts_with("inside: ") {
        message
    } else {
        format!("inside: {message}")
    }
}
// ANCHOR_END: wait

// ANCHOR: drop
impl Drop for Child {
    fn drop(&mut self) {
        if !self.ended {
            // Nobody is left to hear that this failed; a zombie goes when the parent does.
            let _ = kill(self.pid, Signal::SIGKILL);
            let _ = waitpid(self.pid, None);
        }
        // A signal that nobody has read yet was meant for the child: it must not end the parent
        // now.
        while self.signal_waits() && self.signals.read_signal().is_ok() {}
        let _ = self.mask_before.thread_set_mask();
    }
}
// ANCHOR_END: drop
