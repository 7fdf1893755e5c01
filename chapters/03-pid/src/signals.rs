// ANCHOR: signals
//! Which signals does a parent pass on to its child, and how is none of them lost?
//!
//! All that would end the parent. It blocks them before it makes the child, and reads them from a
//! descriptor while it waits (signalfd(2)).

use std::os::fd::{AsFd, BorrowedFd};

use anyhow::Context;
use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};

/// Signals that are not held: SIGKILL and SIGSTOP cannot be blocked, the next ones are ignored or
/// stop a process by default, and the last ones report faults, which must not be blocked. Rust's
/// start-up ignores SIGPIPE. Blocked, it would arrive all the same: with each line of our own log
/// that is written to a closed pipe.
const NOT_HELD: [Signal; 16] = [
    Signal::SIGKILL,
    Signal::SIGSTOP,
    Signal::SIGPIPE,
    Signal::SIGCHLD,
    Signal::SIGCONT,
    Signal::SIGURG,
    Signal::SIGWINCH,
    Signal::SIGTSTP,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
    Signal::SIGSEGV,
    Signal::SIGBUS,
    Signal::SIGFPE,
    Signal::SIGILL,
    Signal::SIGTRAP,
    Signal::SIGSYS,
];

/// The signals that this process holds back.
#[derive(Debug)]
pub(crate) struct Held {
    signals: SignalFd,
    mask_before: SigSet,
}

/// A signal that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// Its number.
    pub(crate) signal: i32,
    /// Whether it is a terminal's Ctrl-C or Ctrl-\: the kernel sent it, and not a process.
    pub(crate) is_typed: bool,
}

impl Held {
    /// Holds them back from now on, to the end of this process.
    pub(crate) fn new() -> anyhow::Result<Held> {
        let mut held = SigSet::all();
        NOT_HELD.into_iter().for_each(|signal| held.remove(signal));
        let mask_before = SigSet::thread_get_mask().context("read the signal mask")?;
        held.thread_block().context("block signals")?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&held, flags).context("make a signalfd")?;
        Ok(Held {
            signals,
            mask_before,
        })
    }

    /// The next one, if one has arrived.
    pub(crate) fn next(&self) -> anyhow::Result<Option<Arrived>> {
        let arrived = self.signals.read_signal().context("read the signalfd")?;
        Ok(arrived.map(|info| {
            let signal = info.ssi_signo as i32;
            // A code above zero is the kernel's (sigaction(2), si_code).
            let is_typed = info.ssi_code > 0 && [libc::SIGINT, libc::SIGQUIT].contains(&signal);
            Arrived { signal, is_typed }
        }))
    }

    /// The child: restores the mask with which this program was started. Returns a signal that came
    /// meanwhile: the kernel would drop it, for a PID 1.
    pub(crate) fn release(&self) -> anyhow::Result<Option<Arrived>> {
        let missed = self.next()?;
        self.mask_before.thread_set_mask().context("restore the signal mask")?;
        Ok(missed)
    }
}

impl AsFd for Held {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }
}
// ANCHOR_END: signals
