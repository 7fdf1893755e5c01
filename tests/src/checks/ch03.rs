//! Chapter 3: PID 1 inside, any number outside.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::{sys::signal::Signal, unistd::Pid};

use super::{Check, holds, messages};
use crate::patience;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        3,
        "the command is PID 1, and has another pid outside",
        "the first process that is cloned into a new PID namespace is its PID 1; execve(2) keeps \
         the pid",
        |bench| {
            let mut running = bench.script("echo pid $$; read wait || exit 0").start_waiting()?;
            running.until("pid")?;
            ensure!(running.output() == "pid 1\n", "the command says {:?}", running.output());
            let child = running.command()?;
            let status = fs::read_to_string(format!("/proc/{child}/status"))?;
            let pids = status
                .lines()
                .find_map(|line| line.strip_prefix("NSpid:"))
                .context("no NSpid in /proc/PID/status")?;
            let pids: Vec<&str> = pids.split_whitespace().collect();
            ensure!(
                pids == [child.to_string().as_str(), "1"],
                "the kernel says that the child's pids are {pids:?}"
            );
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        3,
        "the log shows one process under two pids",
        "/proc shows the PID namespace for which it was mounted, whoever reads it: /proc/self is \
         the outer pid",
        |bench| {
            let ended = bench.script("true").finish()?.must_end_with(0)?;
            let said = messages(&ended);
            let inside = said.iter().find_map(|message| message.strip_prefix("PID 1 in here, "));
            let inside = inside
                .and_then(|rest| rest.split(' ').next())
                .context("the child does not say its two pids")?;
            let outside =
                said.iter().find_map(|message| message.strip_suffix(" ended with status 0"));
            ensure!(
                outside == Some(inside),
                "inside it is said to be {inside}, outside {}",
                outside.unwrap_or("nothing")
            );
            holds()
        },
    ),
    Check::new(
        3,
        "what the command left in the background ends with it",
        "when PID 1 ends, the kernel kills every other process of the namespace \
         (pid_namespaces(7))",
        |bench| {
            // Whether anybody stays is looked at after every check.
            bench.script("sleep 1000 & sleep 1000 & exit 4").finish()?.must_end_with(4)?;
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
fn until_heard(pid: Pid, bound: Duration) -> anyhow::Result<()> {
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
