//! Which key was typed, and how is the terminal set back?
//!
//! A terminal hands over what is typed at the end of a line, and shows it (termios(3)). While
//! [`Keys`] lives, each key comes at once and is not shown. Signals that would end or stop this
//! process are held back, so that the terminal is set back before they act.

use std::{
    io::{IsTerminal, Read, stdin, stdout},
    os::fd::AsFd,
    time::Duration,
};

use anyhow::Context;
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{SigSet, Signal, raise},
        signalfd::{SfdFlags, SignalFd},
        termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr},
    },
    unistd::{getpgrp, tcgetpgrp},
};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A key was typed.
    Key(u8),
    /// A signal has come, or the terminal has hung up: end, by [`Keys::end_by`].
    End(Signal),
    /// Nothing, in all the time.
    Nothing,
}

/// A terminal on which each key counts.
pub struct Keys {
    before: Termios,
    held_back: SigSet,
    signals: SignalFd,
}

impl Keys {
    /// The terminal, if there is one and this process has it.
    ///
    /// # Errors
    ///
    /// It cannot be set.
    pub fn listen() -> anyhow::Result<Option<Keys>> {
        let is_ours = stdout().is_terminal() && tcgetpgrp(stdin()) == Ok(getpgrp());
        if !stdin().is_terminal() || !is_ours {
            return Ok(None);
        }
        let held_back: SigSet =
            [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGTSTP]
                .into_iter()
                .collect();
        held_back.thread_block().context("hold signals back")?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let keys = Keys {
            before: tcgetattr(stdin()).context("read the terminal's settings")?,
            held_back,
            signals: SignalFd::with_flags(&held_back, flags).context("signalfd")?,
        };
        keys.set()?;
        Ok(Some(keys))
    }

    fn set(&self) -> anyhow::Result<()> {
        let mut settings = self.before.clone();
        settings.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        tcsetattr(stdin(), SetArg::TCSADRAIN, &settings).context("set the terminal")
    }

    fn set_back(&self) -> anyhow::Result<()> {
        tcsetattr(stdin(), SetArg::TCSADRAIN, &self.before).context("set the terminal back")
    }

    /// The next key or signal, if one comes in this time.
    ///
    /// # Errors
    ///
    /// As poll(2) and read(2).
    pub fn next(&self, within: Duration) -> anyhow::Result<Event> {
        self.wait(within, true)
    }

    /// Likewise, but a key that is typed waits for [`Keys::next`].
    ///
    /// # Errors
    ///
    /// As [`Keys::next`].
    pub fn next_signal(&self, within: Duration) -> anyhow::Result<Event> {
        self.wait(within, false)
    }

    fn wait(&self, within: Duration, with_keys: bool) -> anyhow::Result<Event> {
        let input = stdin();
        let of_keys = if with_keys {
            PollFlags::POLLIN
        } else {
            PollFlags::empty()
        };
        let mut watched = [
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(input.as_fd(), of_keys),
        ];
        poll(&mut watched, PollTimeout::try_from(within)?).context("poll")?;
        let [_, of_input] = watched.map(|one| one.revents().unwrap_or(PollFlags::empty()));
        if let Some(signal) = self.signals.read_signal().context("read a signal")? {
            let signal = Signal::try_from(signal.ssi_signo as i32)?;
            if signal != Signal::SIGTSTP {
                return Ok(Event::End(signal));
            }
            self.set_back()?;
            raise(Signal::SIGSTOP).context("stop")?;
            self.set()?; // `fg` goes on here
            return Ok(Event::Nothing);
        }
        if of_input.contains(PollFlags::POLLHUP) {
            return Ok(Event::End(Signal::SIGHUP));
        }
        if !with_keys || !of_input.contains(PollFlags::POLLIN) {
            return Ok(Event::Nothing);
        }
        let mut key = [0];
        Ok(match input.lock().read(&mut key).context("read a key")? {
            0 => Event::End(Signal::SIGHUP),
            _ => Event::Key(key[0]),
        })
    }

    /// Sets the terminal back, and lets the signal do what it does. It may do nothing: nohup(1)
    /// has SIGHUP ignored.
    ///
    /// # Errors
    ///
    /// As raise(3).
    pub fn end_by(self, signal: Signal) -> anyhow::Result<()> {
        drop(self);
        raise(signal).context("end by a signal")
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A terminal that has hung up cannot be set back, and nobody reads an error there.
        let (set, let_in) = (self.set_back(), self.held_back.thread_unblock());
        debug_assert!(let_in.is_ok(), "{let_in:?} {set:?}");
    }
}
