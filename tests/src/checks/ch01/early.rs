//! Chapter 1: a signal in the first moments of a run.

use std::{fs, thread::sleep, time::Duration};

use anyhow::ensure;
use nix::sys::signal::Signal;

use crate::{
    Bench, Ended,
    bench::Run,
    checks::{Check, holds},
    delegation::Delegation,
    host::nobody_stays,
    named::entries,
    patience, repetitions,
};

pub(super) const CHECKS: &[Check] = &[Check::new(
    1,
    "a signal in the first moments ends it, and leaves nothing",
    "a signal that arrives before the command runs must end the stage. Block signals before you \
     make anything that has to be removed, and do not let a helper child swallow one",
    |bench| {
        let delegation = Delegation::to(bench, &["memory"])?;
        let moments = repetitions(42);
        for moment in 0..moments {
            // Up to 3, a Ctrl-C is the command's: the parent ignores it while it waits.
            let signals = match bench.stage {
                ..3 => &[Signal::SIGTERM, Signal::SIGHUP][..],
                _ => &[Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT],
            };
            let signal = signals[moment as usize % signals.len()];
            let running = a_long_run(bench, delegation.as_ref()).start()?;
            sleep(patience(Duration::from_micros(
                LAST_MOMENT * u64::from(moment) / u64::from(moments),
            )));
            running.signal(signal)?;
            ended_by(&running.finish()?, signal)?;
            nobody_stays()?;
            left_nothing(bench)?;
        }
        holds()
    },
)
.not_in_the_workshop()];

/// When a stage has started its command, on a usual machine; in microseconds.
const LAST_MOMENT: u64 = 16_000;

/// A run that makes all that a run of the stage can leave behind.
fn a_long_run<'a>(bench: &'a Bench, delegation: Option<&Delegation>) -> Run<'a> {
    let limit: &[&str] = match (bench.stage, delegation) {
        (7.., Some(_)) => &["-m", "64m"],
        _ => &[],
    };
    let layer: &[&str] = if bench.stage >= 9 {
        &["--container-layer", "mine"]
    } else {
        &[]
    };
    let name: &[&str] = if bench.stage >= 10 {
        &["--name", "early"]
    } else {
        &[]
    };
    let run: &[&str] = if bench.stage >= 8 { &["run"] } else { &[] };
    let words = [run, limit, layer, name, &["sleep", "1000"]].concat();
    let run = bench.run(&bench.binary, words).env("XDG_RUNTIME_DIR", bench.temporary());
    match delegation {
        Some(delegation) => delegation.put(run),
        None => run,
    }
}

/// The status is the signal's; or the command ran by then, and was a PID 1 that does not listen.
fn ended_by(ended: &Ended, signal: Signal) -> anyhow::Result<()> {
    let (status, by_signal) = (ended.status(), 128 + signal as i32);
    let was_deaf = status == 137 && ended.errors.contains("PID 1 does not listen to it");
    ensure!(
        status == by_signal || was_deaf,
        "{signal} in its first moments, and it ended with {status}; it said {}",
        ended.errors
    );
    Ok(())
}

fn left_nothing(bench: &Bench) -> anyhow::Result<()> {
    ensure!(!entries(bench).exists(), "the entry is left");
    for entry in fs::read_dir(&bench.folder)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        ensure!(!name.starts_with(".mine"), "{name} is left beside the container layer");
    }
    Ok(())
}
