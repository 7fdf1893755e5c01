//! How does this process wait with a bound, and how does Ctrl-C end it so that nothing is left?

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Context, ensure};
use nix::{
    sys::{
        signal::{
            SaFlags, SigAction, SigEvent, SigHandler, SigSet, SigevNotify, Signal, sigaction,
        },
        timer::{Expiration, Timer, TimerSetTimeFlags},
    },
    time::ClockId,
};

static CAME: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_: i32) {
    CAME.store(true, Ordering::Relaxed);
}

extern "C" fn wake(_: i32) {}

/// From now on, the signals that end this are noted, and [`Alarm`]s interrupt a wait.
///
/// # Errors
///
/// As sigaction(2).
pub fn catch() -> anyhow::Result<()> {
    let action =
        |handler, flags| SigAction::new(SigHandler::Handler(handler), flags, SigSet::empty());
    let noted = action(note, SaFlags::SA_RESTART);
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: the handler stores into an atomic variable, and nothing else.
        unsafe { sigaction(signal, &noted) }.context("sigaction")?;
    }
    // SAFETY: the handler does nothing.
    unsafe { sigaction(Signal::SIGALRM, &action(wake, SaFlags::empty())) }.context("sigaction")?;
    Ok(())
}

/// Whether to go on.
///
/// # Errors
///
/// A signal came.
pub fn check() -> anyhow::Result<()> {
    ensure!(!CAME.load(Ordering::Relaxed), "interrupted");
    Ok(())
}

/// While it lives, a system call that waits is interrupted (EINTR) from time to time.
pub struct Alarm(#[allow(dead_code)] Timer);

impl Alarm {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// As timer_create(2).
    pub fn new() -> anyhow::Result<Alarm> {
        let event = SigEvent::new(SigevNotify::SigevSignal {
            signal: Signal::SIGALRM,
            si_value: 0,
        });
        let mut timer = Timer::new(ClockId::CLOCK_MONOTONIC, event).context("make a timer")?;
        let often = Expiration::Interval(Duration::from_millis(100).into());
        timer.set(often, TimerSetTimeFlags::empty()).context("set a timer")?;
        Ok(Alarm(timer))
    }
}
