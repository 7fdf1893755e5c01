// ANCHOR: typing
//! How does what you type get to the container's terminal?
//!
//! A thread copies it, and never waits in read(2) or write(2): it must hear at any time that the
//! window has another size, that this process was stopped and goes on, and that the container has
//! ended. Source: poll(2), signalfd(2), tty_ioctl(4).

use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter, Read, Write, pipe, stdin},
    os::fd::{AsFd, OwnedFd},
    thread::{self, JoinHandle},
};

use anyhow::{Context, ensure};
use ch01_uts::{Child, send};
use ch03_pid::is_deaf;
use lab::{errors::signal_name, info, warn};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::termios::{LocalFlags, SpecialCharacterIndices, tcgetattr},
    unistd::{Pid, getpgrp, tcgetpgrp},
};

use crate::relay::Ends;

/// The thread that copies what you type.
pub(crate) struct Typing {
    thread: JoinHandle<()>,
    end: PipeWriter,
}

impl Typing {
    pub(crate) fn start(ends: Ends, child: &Child) -> anyhow::Result<Typing> {
        ends.follow().context("make the terminal raw")?;
        let typist = Typist {
            ends,
            leader: child.process.as_fd().try_clone_to_owned().context("dup a pidfd")?,
            leader_pid: child.pid(),
            unsaid: Vec::new(),
        };
        let (ended, end) = pipe().context("make a pipe for a thread")?;
        let copy = move || typist.copy(&ended);
        let thread = thread::Builder::new().spawn(copy).context("start a thread")?;
        Ok(Typing { thread, end })
    }

    /// Waits until it touches the terminal no more.
    pub(crate) fn finish(self) {
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
