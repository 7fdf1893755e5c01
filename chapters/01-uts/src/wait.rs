// ANCHOR: wait
//! How does a parent learn how its child ended?

use std::{
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    ptr::null,
};

use anyhow::{Context, anyhow, ensure};
use lab::{Exit, Failure, Start, StartReport, info};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, signal},
    unistd::Pid,
};
use rustix::process::{WaitId, WaitIdOptions, waitid};

/// A process that this one has cloned. Dropped before it was reaped, it is killed.
#[derive(Debug)]
#[must_use]
pub struct Process {
    pid: Pid,
    /// Refers to this process, and to no later one with the same pid (pidfd_open(2)).
    pidfd: OwnedFd,
    is_reaped: bool,
}

impl Process {
    /// A child of this process.
    pub fn new(pid: Pid, pidfd: OwnedFd) -> Process {
        Process {
            pid,
            pidfd,
            is_reaped: false,
        }
    }

    /// Its pid in this process's PID namespace.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Waits for its end (waitid(2)).
    ///
    /// # Errors
    ///
    /// As waitid(2).
    pub fn reap(mut self) -> anyhow::Result<Exit> {
        // ANCHOR: exercise-wait
        let ended = loop {
            match waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other.with_context(|| format!("waitid {}", self.pid))?,
            }
        };
        let ended = ended.context("waitid returned without a child")?;
        self.is_reaped = true;
        match (ended.exit_status(), ended.terminating_signal()) {
            (Some(code), _) => Ok(Exit::Code(code as u8)),
            (None, Some(signal)) => Ok(Exit::Signal(signal)),
            (None, None) => Err(anyhow!("waitid {}: {ended:?} is no end", self.pid)),
        }
        // ANCHOR_END: exercise-wait
    }

    /// Sends it a signal.
    ///
    /// # Errors
    ///
    /// As [`send`].
    pub fn send(&self, signal: i32) -> nix::Result<()> {
        send(self.pidfd.as_fd(), signal)
    }
}

/// Sends a signal to the process of a pidfd, and never to a later one with the same pid
/// (pidfd_send_signal(2)). The libraries have no real-time signals, so this is the call itself.
///
/// # Errors
///
/// ESRCH: it has ended, and was waited for; EPERM: it is another user's.
pub fn send(pidfd: BorrowedFd, signal: i32) -> nix::Result<()> {
    let (number, no_info) = (pidfd.as_raw_fd(), null::<libc::siginfo_t>());
    // SAFETY: it takes numbers, and a null for what the kernel fills in itself.
    let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, number, signal, no_info, 0) };
    Errno::result(sent).map(drop)
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_reaped && self.send(libc::SIGKILL).is_ok() {
            // No caller is left for an error; a zombie goes when its parent ends.
            let _ = waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED);
        }
    }
}
// ANCHOR_END: wait

// ANCHOR: child
/// A child that [`crate::spawn`] started.
#[derive(Debug)]
#[must_use]
pub struct Child {
    /// The process itself.
    pub process: Process,
    report: StartReport,
    may_report: bool,
    postponed: Option<Postponed>,
}

impl Child {
    /// A child that reports its start.
    pub fn new(process: Process, report: StartReport) -> Child {
        Child {
            process,
            report,
            may_report: true,
            postponed: None,
        }
    }

    /// The same; `postponed` ends when this process waits for the child.
    pub(crate) fn until_it_waits(self, postponed: Postponed) -> Child {
        Child {
            postponed: Some(postponed),
            ..self
        }
    }

    /// The child's pid in this process's PID namespace.
    pub fn pid(&self) -> Pid {
        self.process.pid
    }

    /// The process, and the report of its start.
    pub fn into_parts(self) -> (Process, StartReport) {
        (self.process, self.report)
    }

    /// Waits until the child has ended.
    ///
    /// Meanwhile this process ignores Ctrl-C and Ctrl-\, as system(3) does: a terminal sends them
    /// to the child as well, and a parent that ended would take it along.
    ///
    /// # Errors
    ///
    /// The error of a child that never became the command.
    pub fn wait(self) -> anyhow::Result<Exit> {
        let _restored = KEYS.map(Ignored::new); // also those that came since the clone
        self.wait_as_usual()
    }

    /// Likewise, but Ctrl-C and Ctrl-\ end this process as usual: for a child that is no command.
    ///
    /// # Errors
    ///
    /// The child's error.
    pub fn wait_as_usual(mut self) -> anyhow::Result<Exit> {
        self.postponed = None;
        while !self.wait_or(&[])? {}
        self.outcome()
    }

    /// Sleeps until the child has reported something about its start, one of `others` can be
    /// read, or the child has ended. Returns whether it has ended.
    ///
    /// # Errors
    ///
    /// As poll(2).
    pub fn wait_or(&mut self, others: &[BorrowedFd]) -> anyhow::Result<bool> {
        let mut watched = vec![self.process.as_fd()];
        watched.extend(others);
        if self.may_report {
            watched.push(self.report.as_fd());
        }
        let has_ended = wait_for_any(&watched)?[0];
        self.listen()?;
        Ok(has_ended)
    }

    /// What the child has reported about its start.
    pub fn start(&self) -> Start {
        self.report.start()
    }

    /// How the child ended. To be called after its end.
    ///
    /// # Errors
    ///
    /// The error of a child that never became the command.
    pub fn outcome(self) -> anyhow::Result<Exit> {
        let pid = self.pid();
        self.end().inspect(|exit| info!("{pid} ended with {exit}"))
    }

    /// The same, and nothing is logged.
    pub(crate) fn end(mut self) -> anyhow::Result<Exit> {
        self.listen()?;
        let pid = self.pid();
        let exit = self.process.reap()?;
        match self.report.start() {
            Start::Executes | Start::Ends => Ok(exit),
            Start::Failed(failure) => Err(Failure {
                message: said_inside(failure.message),
                ..failure
            }
            .into()),
            Start::Silent => Err(anyhow!("{pid} ended with {exit} before it became the command")),
        }
    }

    fn listen(&mut self) -> anyhow::Result<()> {
        self.may_report =
            self.may_report && self.report.listen().context("read the child's report")?;
        Ok(())
    }
}

/// Sleeps until one of these can be read, or is at its end (poll(2)); says which.
///
/// # Errors
///
/// As poll(2).
pub fn wait_for_any(descriptors: &[BorrowedFd]) -> anyhow::Result<Vec<bool>> {
    let mut watched: Vec<PollFd> =
        descriptors.iter().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)).collect();
    while let Err(errno) = poll(&mut watched, PollTimeout::NONE) {
        ensure!(errno == Errno::EINTR, "poll: {}", errno.desc());
    }
    Ok(watched.iter().map(|fd| fd.any().unwrap_or(false)).collect())
}

/// An error may pass through several parents; only the first one marks it.
fn said_inside(message: String) -> String {
    if message.starts_with("inside: ") {
        message
    } else {
        format!("inside: {message}")
    }
}
// ANCHOR_END: child

// ANCHOR: ignored
/// What Ctrl-C and Ctrl-\ send.
const KEYS: [Signal; 2] = [Signal::SIGINT, Signal::SIGQUIT];

/// They reach this process only when this is dropped (they are blocked). To be made before a child:
/// its command may run, and you may type, before this process goes on.
#[derive(Debug)]
pub(crate) struct Postponed(SigSet);

impl Postponed {
    pub(crate) fn new() -> anyhow::Result<Postponed> {
        let keys = SigSet::from_iter(KEYS);
        let before = keys.thread_swap_mask(SigmaskHow::SIG_BLOCK).context("block SIGINT")?;
        // Those that were blocked before have to stay so.
        Ok(Postponed(KEYS.into_iter().filter(|key| !before.contains(*key)).collect()))
    }
}

impl Drop for Postponed {
    fn drop(&mut self) {
        // The kernel refuses only what is no signal set.
        let _ = self.0.thread_unblock();
    }
}

/// A signal that this process ignores until this is dropped.
struct Ignored {
    signal: Signal,
    before: Option<SigHandler>,
}

impl Ignored {
    fn new(number: Signal) -> Ignored {
        // SAFETY: SIG_IGN installs no handler.
        let before = unsafe { signal(number, SigHandler::SigIgn) };
        Ignored {
            signal: number,
            before: before.ok(),
        }
    }
}

impl Drop for Ignored {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            // SAFETY: this handler was installed before, by code that answers for it.
            let _ = unsafe { signal(self.signal, before) };
        }
    }
}
// ANCHOR_END: ignored
