// ANCHOR: relay
//! Who copies between the caller's terminal and the container's?
//!
//! The process that waits for the container. One thread copies what the container writes (it is
//! one of chapter 8's), another one what you type. Your terminal is raw meanwhile: a Ctrl-C is a
//! byte, of which the pty's slave makes a signal, inside.
//! Source: pty(7), tty_ioctl(4), signal(7).

use std::{
    cell::Cell,
    fs::File,
    io::{stderr, stdin, stdout},
    os::fd::{AsFd, BorrowedFd},
};

use anyhow::Context;
use ch01_uts::Child;
use ch03_pid::Job;
use ch08_pipe_init::Streams;
use lab::{Exit, info};
use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
    stat::fstat,
    termios::{OutputFlags, SetArg, tcsetattr},
};
use rustix::termios::{tcgetwinsize, tcsetwinsize};

use crate::{
    caller::CallersTerminal,
    pty::{Pty, terminals},
    typing::Typing,
};

/// A container's terminal, and the caller's.
pub struct Relay<'a> {
    job: &'a Job,
    ends: Ends,
}

/// The two terminals, for the thread that copies what you type.
pub(crate) struct Ends {
    pub(crate) pty: Pty,
    pub(crate) callers: CallersTerminal,
    /// Tells of a new size, and that this process goes on.
    pub(crate) signals: SignalFd,
    /// Whether what you type is for the container.
    pub(crate) reads: bool,
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
        let typing = Typing::start(self.ends, &child)?; // raw, before anything is shown
        let copies = streams.start()?;
        let interrupted = self.job.watch(&mut child)?;
        let copied = copies.finish(self.job);
        typing.finish();
        callers.set_back(); // before anything is said about the end
        let exit = self.job.end(child, interrupted)?;
        copied.map(|()| exit)
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
    pub(crate) fn follow(&self) -> nix::Result<()> {
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
