//! Chapter 3: the parent passes signals on, and PID 1 hears those that it listens to.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::ensure;
use nix::{sys::signal::Signal, unistd::Pid};

use crate::{
    checks::{Check, ch01::signals::sleeping, holds},
    patience,
    process::wait_for_end,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        3,
        "a signal to the parent ends the command, and both end",
        "whoever stops the runtime means the command: pass the signal on, wait for the pid, and \
         report how it ended",
        |bench| {
            for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
                let (running, _) = sleeping(bench)?;
                running.signal(signal)?;
                // PID 1 has no handler, so it is killed.
                running.finish()?.must_end_with(137)?;
            }
            let mut running = bench
                .script("trap 'echo heard; exit 9' TERM; echo ready; while :; do sleep 0.1; done")
                .start()?;
            running.until("ready")?;
            running.signal(Signal::SIGTERM)?;
            running.finish()?.must_end_with(9)?.must_write("ready\nheard\n")?;
            holds()
        },
    ),
    Check::new(
        3,
        "a signal that comes together with the child's end does not replace its exit status",
        "a signal that is still pending when its block is lifted ends the parent: read it first, \
         it was the child's",
        |bench| {
            let mut running = bench.script("echo ready; read wait; exit 6").start_waiting()?;
            running.until("ready")?;
            let command = running.command()?;
            running.signal(Signal::SIGSTOP)?; // so the parent learns of both at once
            running.signal(Signal::SIGTERM)?;
            running.close_input();
            let ended = wait_for_end(command, patience(PATIENCE))?;
            running.signal(Signal::SIGCONT)?;
            ensure!(ended, "the command did not end");
            running.finish()?.must_end_with(6)?;
            holds()
        },
    ),
    Check::new(
        3,
        "a signal that PID 1 has no handler for ends it all the same",
        "the kernel drops a signal to a PID 1 that has no handler for it, and tells nobody: look \
         at SigCgt and SigIgn in /proc/PID/status, and send SIGKILL then",
        |bench| {
            let mut running = bench.script("echo ready; exec sleep 1000").start()?;
            running.until("ready")?;
            running.signal(Signal::SIGTERM)?;
            running.finish()?.must_end_with(128 + Signal::SIGKILL as i32)?;
            holds()
        },
    ),
    Check::new(
        3,
        "a handler of PID 1's hears the signal",
        "SIGKILL leaves a command no time to tidy up: a PID 1 with a handler gets the signal \
         itself",
        |bench| {
            let script =
                "trap 'echo tidied up; exit 9' TERM; echo ready; while :; do sleep 0.02; done";
            let mut running = bench.script(script).start()?;
            running.until("ready")?;
            running.signal(Signal::SIGTERM)?;
            running.finish()?.must_end_with(9)?.must_write("ready\ntidied up\n")?;
            holds()
        },
    ),
    Check::new(
        3,
        "a signal that PID 1 ignores on purpose does not end it",
        "a bit in SigIgn says that the command has chosen to ignore the signal: that is no lack of \
         a handler",
        |bench| {
            let mut running =
                bench.script("trap '' TERM; echo ready; read wait; exit 6").start_waiting()?;
            running.until("ready")?;
            running.signal(Signal::SIGTERM)?;
            until_heard(running.pid(), bench.bound)?;
            running.release()?.must_end_with(6)?;
            holds()
        },
    ),
];

/// Waits until the process has no signal pending and sleeps: it has done what it does with one, or
/// ended.
pub(super) fn until_heard(pid: Pid, bound: Duration) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let field = |name| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default()
                .trim()
        };
        let nothing_in = |name| field(name).trim_matches('0').is_empty();
        let is_idle = field("State:").starts_with(['S', 'Z']); // asleep, or ended
        if is_idle && nothing_in("ShdPnd:") && nothing_in("SigPnd:") {
            return Ok(());
        }
        ensure!(
            start.elapsed() < patience(bound),
            "the parent does not take its signal: {status}"
        );
        sleep(Duration::from_millis(1));
    }
}

/// How long a command that was told to end may take.
const PATIENCE: Duration = Duration::from_secs(10);
