//! How does Ctrl-C end this so that nothing is left?
//!
//! The commands end by it, and this process goes on to the next look at the flag, and removes its
//! files.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

static CAME: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_: i32) {
    CAME.store(true, Ordering::Relaxed);
}

/// From now on, the signals that end this are noted.
///
/// # Errors
///
/// As sigaction(2).
pub fn catch() -> anyhow::Result<()> {
    let noted = SigAction::new(SigHandler::Handler(note), SaFlags::SA_RESTART, SigSet::empty());
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: the handler stores into an atomic variable, and nothing else.
        unsafe { sigaction(signal, &noted) }.context("sigaction")?;
    }
    Ok(())
}

/// Whether to go on.
///
/// # Errors
///
/// A signal came.
pub fn check() -> anyhow::Result<()> {
    ensure!(!CAME.load(Ordering::Relaxed), "interrupted: the book stays as it is");
    Ok(())
}
