// ANCHOR: caller
//! How does your terminal hand over every key, and become again what it was?
//!
//! Raw, it sends no signal for Ctrl-C and does not wait for the end of a line: it hands each byte
//! over (termios(3), "Raw mode"). Its settings belong to the terminal, and outlive the process that
//! made it raw. So each process that can outlive another one sets it back at its end. If all are
//! killed, nobody does: `stty sane` does it by hand.

use std::io::stdin;

use anyhow::Context;
use lab::warn;
use nix::sys::{
    signal::{SigSet, SigmaskHow, Signal},
    termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr},
};

/// The caller's terminal, on standard input. Dropped, it is set back.
#[derive(Clone, Debug)]
pub struct CallersTerminal {
    /// Its settings before.
    pub(crate) settings: Termios,
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
    pub(crate) fn make_raw(&self) -> nix::Result<()> {
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
