// ANCHOR: caller
//! Who copies between the caller's terminal and the container's?
//!
//! The process that waits for the container. One thread copies what the container writes (it is
//! one of chapter 8's), and one copies what you type. Meanwhile your terminal is *raw*: it sends no
//! signal for Ctrl-C, but hands the byte over, and the pty's slave makes the signal of it, inside.
//! Source: termios(3) "Raw mode", tty_ioctl(4), signal(7).

use std::{
    cell::Cell,
    fs::File,
    io::{self, PipeReader, PipeWriter, Read, Write, pipe, stderr, stdin, stdout},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    thread::{self, JoinHandle},
};

use anyhow::{Context, ensure};
use ch01_uts::{Child, send};
use ch03_pid::{Job, is_deaf};
use ch08_pipe_init::Streams;
use lab::{Exit, errors::signal_name, info, warn};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{SigSet, SigmaskHow, Signal},
        signalfd::{SfdFlags, SignalFd},
        stat::fstat,
        termios::{
            LocalFlags, OutputFlags, SetArg, SpecialCharacterIndices, Termios, cfmakeraw,
            tcgetattr, tcsetattr,
        },
    },
    unistd::{Pid, getpgrp, tcgetpgrp},
};
use rustix::termios::{tcgetwinsize, tcsetwinsize};

use crate::pty::{Pty, terminals};

/// The caller's terminal, on standard input. Dropped, it is set back.
#[derive(Clone, Debug)]
pub struct CallersTerminal {
    /// Its settings before.
    settings: Termios,
    /// Its settings meanwhile.
    raw: Termios,
}

impl CallersTerminal {
    /// Looks at it.
    ///
    /// # Errors
    ///
    /// It has hung up.
    pub fn look() -> anyhow::Result<CallersTerminal> {
        let settings = tcgetattr(stdin()).context("read the terminal's settings")?;
        let mut raw = settings.clone();
        cfmakeraw(&mut raw);
        Ok(CallersTerminal { settings, raw })
    }

    /// Makes it raw. In the background the kernel stops this process for that (SIGTTOU), until it
    /// is in the foreground.
    fn make_raw(&self) -> nix::Result<()> {
        tcsetattr(stdin(), SetArg::TCSANOW, &self.raw)
    }

    /// Sets it back, if nobody else has set it meanwhile: a shell that has taken it has.
    pub fn set_back(&self) {
        if tcgetattr(stdin()).as_ref() != Ok(&self.raw) {
            return;
        }
        // It may be in the background by now, and its shell waits for the settings.
        let blocked = SigSet::from(Signal::SIGTTOU).thread_swap_mask(SigmaskHow::SIG_BLOCK);
        if let Err(errno) = tcsetattr(stdin(), SetArg::TCSANOW, &self.settings) {
            warn!("set the terminal back: {}", errno.desc());
        }
        // A mask that was just read can be set again.
        let _ = blocked.and_then(|mask| mask.thread_set_mask());
    }
}

impl Drop for CallersTerminal {
    fn drop(&mut self) {
        self.set_back();
    }
}
// ANCHOR_END: caller

// ANCHOR: relay
/// A container's terminal, and the caller's.
pub struct Relay<'a> {
    job: &'a Job,
    ends: Ends,
}

struct Ends {
    pty: Pty,
    callers: CallersTerminal,
    signals: SignalFd,
    /// Whether what you type is for the container.
    reads: bool,
}

impl<'a> Relay<'a> {
    /// Puts the container on the pty: it gets the slave in place of the caller's terminal.
    ///
    /// What you type is for the container only with `-i`, and not in a pipeline, whose other
    /// programs may read the terminal too (such as `less`): then the container's input is empty.
    ///
    /// # Errors
    ///
    /// As dup(2) and tcsetattr(3).
    pub fn new(
        job: &'a Job,
        pty: Pty,
        callers: &CallersTerminal,
        streams: &mut Streams,
    ) -> anyhow::Result<Relay<'a>> {
        let (reads, is_shared) = (Cell::new(false), is_in_pipeline()?);
        streams.replace_terminal(|number| {
            if number == 0 && is_shared {
                info!("a pipe on standard output or error: what you type is not for the container");
                return Ok(File::open("/dev/null").context("open /dev/null")?.into());
            }
            reads.set(reads.get() || number == 0);
            pty.slave.try_clone().context("dup the pty")
        })?;
        let master = pty.master.try_clone().context("dup the pty")?;
        let (number, shown) = shown_on()?;
        streams.copy(number, master.into(), shown);
        let mut settings = callers.settings.clone();
        if !reads.get() {
            // The caller's terminal stays as it is, and turns \n into \r\n itself.
            settings.output_flags.remove(OutputFlags::OPOST);
        }
        tcsetattr(&pty.slave, SetArg::TCSANOW, &settings).context("set the pty")?;
        let ends = Ends {
            pty,
            callers: callers.clone(),
            signals: held()?,
            reads: reads.get(),
        };
        ends.copy_size();
        Ok(Relay { job, ends })
    }

    /// The same as [`Streams::wait`], with the terminals.
    ///
    /// # Errors
    ///
    /// As there; the terminal has hung up.
    pub fn wait(self, streams: Streams, mut child: Child) -> anyhow::Result<Exit> {
        let callers = self.ends.callers.clone(); // sets the terminal back, however this ends
        let copies = streams.start()?;
        let typing = Typing::start(self.ends, &child)?;
        let interrupted = self.job.watch(&mut child)?;
        copies.finish(self.job)?;
        typing.finish();
        callers.set_back(); // before anything is said about the end
        self.job.end(child, interrupted)
    }
}

/// SIGWINCH and SIGCONT, from now on. To be called while this process has one thread, because
/// another one would take them; and after the job is made, which gives the child the mask from
/// before.
fn held() -> anyhow::Result<SignalFd> {
    let signals = SigSet::from_iter([Signal::SIGWINCH, Signal::SIGCONT]);
    signals.thread_block().context("block SIGWINCH")?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    SignalFd::with_flags(&signals, flags).context("make a signalfd")
}

impl Ends {
    /// After a resize, or when this process was stopped and goes on.
    fn follow(&self) -> nix::Result<()> {
        self.copy_size();
        if self.reads {
            self.callers.make_raw()
        } else {
            Ok(())
        }
    }

    /// Gives the pty the size of the caller's terminal. The kernel then sends SIGWINCH inside.
    fn copy_size(&self) {
        if let Ok(size) = tcgetwinsize(stdin()) {
            // Without a size the container's programs assume one.
            let _ = tcsetwinsize(&self.pty.master, size);
        }
    }
}

/// Whether another program of a pipeline may have the same terminal.
fn is_in_pipeline() -> anyhow::Result<bool> {
    let is_pipe = |stream: BorrowedFd| {
        let mode = fstat(stream).context("stat a stream")?.st_mode;
        anyhow::Ok(mode & libc::S_IFMT == libc::S_IFIFO)
    };
    Ok(is_pipe(stdout().as_fd())? || is_pipe(stderr().as_fd())?)
}

/// Where what the container writes to its terminal is shown.
fn shown_on() -> anyhow::Result<(usize, File)> {
    let (number, copy) = match terminals() {
        [_, true, _] => (1, stdout().as_fd().try_clone_to_owned()),
        [.., true] => (2, stderr().as_fd().try_clone_to_owned()),
        _ => (1, stdin().as_fd().try_clone_to_owned()), // a terminal can be written to
    };
    Ok((number, copy.context("dup the terminal")?.into()))
}
// ANCHOR_END: relay

// ANCHOR: typing
/// The thread that copies what you type.
struct Typing {
    thread: JoinHandle<()>,
    end: PipeWriter,
}

impl Typing {
    fn start(ends: Ends, child: &Child) -> anyhow::Result<Typing> {
        ends.follow().context("make the terminal raw")?;
        let typist = Typist {
            ends,
            leader: child.process.as_fd().try_clone_to_owned().context("dup a pidfd")?,
            leader_pid: child.pid(),
            unsaid: Vec::new(),
        };
        let (ended, end) = pipe().context("make a pipe for a thread")?;
        let thread = thread::spawn(move || typist.copy(&ended));
        Ok(Typing { thread, end })
    }

    /// Waits until it touches the terminal no more.
    fn finish(self) {
        drop(self.end);
        let _ = self.thread.join(); // a panic has said why
    }
}

struct Typist {
    ends: Ends,
    /// The process that leads the container's session.
    leader: OwnedFd,
    leader_pid: Pid,
    /// Typed, and not yet taken by the pty.
    unsaid: Vec<u8>,
}

impl Typist {
    fn copy(mut self, ended: &PipeReader) {
        if let Err(error) = self.copy_until(ended) {
            info!("the terminal: {error:#}");
        }
        // When both threads have closed the master, the kernel hangs the slave up.
    }

    fn copy_until(&mut self, ended: &PipeReader) -> anyhow::Result<()> {
        loop {
            let wants = |wanted: bool, events| if wanted { events } else { PollFlags::empty() };
            let (idle, stdin) = (self.unsaid.is_empty(), stdin());
            let mut watched = [
                PollFd::new(ended.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.ends.signals.as_fd(), PollFlags::POLLIN),
                PollFd::new(stdin.as_fd(), wants(idle && self.ends.reads, PollFlags::POLLIN)),
                PollFd::new(self.ends.pty.master.as_fd(), wants(!idle, PollFlags::POLLOUT)),
            ];
            match poll(&mut watched, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                other => other.context("poll")?,
            };
            let events = watched.map(|fd| fd.revents().unwrap_or(PollFlags::empty()));
            let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
            if !events[0].is_empty() {
                return Ok(());
            }
            ensure!(!(events[2] | events[3]).intersects(gone), "it has hung up");
            if !events[1].is_empty() {
                while self.ends.signals.read_signal().context("read the signalfd")?.is_some() {}
                self.ends.follow()?;
            }
            if events[2].contains(PollFlags::POLLIN) {
                self.hear()?;
            }
            if events[3].contains(PollFlags::POLLOUT) {
                self.say()?;
            }
        }
    }

    /// Reads what was typed.
    fn hear(&mut self) -> anyhow::Result<()> {
        if tcgetpgrp(stdin()) != Ok(getpgrp()) {
            // In the background: stop here, and look again. In read(2) it would wait for the next
            // key, and hear of nothing else.
            self.ends.callers.make_raw()?;
            ensure!(tcgetpgrp(stdin()) == Ok(getpgrp()), "others are in the foreground");
            return Ok(());
        }
        let mut piece = [0; 4096];
        // A second descriptor: what std's own has buffered, poll(2) does not see.
        let mut terminal = File::from(stdin().as_fd().try_clone_to_owned()?);
        let length = terminal.read(&mut piece)?;
        ensure!(length > 0, "it has hung up");
        self.unsaid.extend(&piece[..length]);
        Ok(())
    }

    /// Types it on the pty, as much as that takes.
    fn say(&mut self) -> anyhow::Result<()> {
        let mut master = File::from(self.ends.pty.master.try_clone()?);
        let length = match master.write(&self.unsaid) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            other => other?,
        };
        let said: Vec<u8> = self.unsaid.drain(..length).collect();
        self.end_if_deaf(&said)
    }

    /// A Ctrl-C that the kernel drops, because it is for a PID 1 that does not listen, ends the
    /// container, as in chapter 3.
    fn end_if_deaf(&self, said: &[u8]) -> anyhow::Result<()> {
        let settings = tcgetattr(&self.ends.pty.slave)?;
        if !settings.local_flags.contains(LocalFlags::ISIG) {
            return Ok(());
        }
        let keys = [
            (SpecialCharacterIndices::VINTR, libc::SIGINT),
            (SpecialCharacterIndices::VQUIT, libc::SIGQUIT),
        ];
        let signal = keys.into_iter().find_map(|(index, signal)| {
            let key = settings.control_chars[index as usize];
            (key != 0 && said.contains(&key)).then_some(signal)
        });
        let Some(signal) = signal else {
            return Ok(());
        };
        let is_leaders = tcgetpgrp(&self.ends.pty.master) == Ok(self.leader_pid);
        if is_leaders && is_deaf(self.leader.as_fd(), signal).unwrap_or(false) {
            self.ends.callers.set_back();
            warn!("{}: PID 1 does not listen to it, so SIGKILL", signal_name(signal));
            // One that has ended needs none.
            let _ = send(self.leader.as_fd(), libc::SIGKILL);
        }
        Ok(())
    }
}
// ANCHOR_END: typing
