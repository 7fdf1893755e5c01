//! Chapter 3: the parent passes signals on, and PID 1 hears those that it listens to.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::{errno::Errno, sys::signal::Signal, unistd::Pid};

use crate::{
    checks::{Check, ch01::signals::sleeping, holds},
    patience,
    process::wait_for_end,
    unread::{full_pipe, pipe},
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        3,
        "a signal to the parent ends the command, and both end",
        "a signal to the runtime is meant for the command: pass it on, wait for the child, and \
         return how it ended",
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
        "a signal that is pending when you unblock it ends the parent: read it first, or keep it \
         blocked until you exit",
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
        "the kernel drops a signal that PID 1 neither handles nor blocks, and kill(2) still \
         returns 0: before you send it, look at SigCgt, SigBlk and SigIgn in /proc/PID/status, and \
         send SIGKILL instead",
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
        "a PID 1 that handles the signal must get it: SIGKILL leaves it no time to tidy up",
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
        "a signal is for PID 1 alone",
        "a negative pid is a process group: signal the command, and not what it has started",
        |bench| {
            let script = "sh -c 'trap \"echo another heard it\" TERM; echo > up
                                 until [ -e stop ]; do sleep 0.02; done' &
                          until [ -e up ]; do sleep 0.02; done
                          trap 'sleep 0.1; echo > stop; wait; exit 9' TERM; echo ready
                          while :; do sleep 0.02; done";
            let mut running = bench.script(script).start()?;
            running.until("ready")?;
            running.signal(Signal::SIGTERM)?;
            running.finish()?.must_end_with(9)?.must_write("ready\n")?;
            holds()
        },
    )
    .until(8, "the same function from there on"),
    Check::new(
        3,
        "a PID 1 that blocks a signal and waits for it is not killed",
        "the kernel does not drop a signal that PID 1 blocks; sigwait(3) and signalfd(2) read it. \
         So also look at SigBlk, before you send it",
        |bench| {
            let inside = bench.other("inside");
            for how in ["wait", "look"] {
                let words = ["--".as_ref(), inside.as_os_str(), "hear".as_ref(), how.as_ref()];
                let mut running = bench.stage(words).start()?;
                running.until("ready")?;
                until_heard(running.command()?, bench.bound)?; // it waits by now
                running.signal(Signal::SIGTERM)?;
                let ended = running.finish()?.must_end_with(7);
                ended.with_context(|| format!("hear {how}"))?.must_write("ready\nheard\n")?;
            }
            holds()
        },
    ),
    Check::new(
        3,
        "each signal that would end the parent is passed on, real-time ones too",
        "a signal that you do not pass on ends the parent, and the kernel kills the command with \
         it: pass on every signal whose default action ends a process (a real-time one is a number \
         that nix's Signal does not have)",
        |bench| {
            for signal in [libc::SIGALRM, libc::SIGIO, libc::SIGPROF, libc::SIGPWR, 40] {
                let script = format!(
                    "trap 'echo heard; exit 9' {signal}; echo ready; while :; do sleep 0.02; done"
                );
                let mut running = bench.script(&script).start()?;
                running.until("ready")?;
                // SAFETY: kill takes two numbers; the process is a child that was not waited for.
                let sent = unsafe { libc::kill(running.pid().as_raw(), signal) };
                ensure!(sent == 0, "kill -{signal}: {}", Errno::last());
                let ended = running.finish()?.must_end_with(9);
                ended
                    .with_context(|| format!("signal {signal}"))?
                    .must_write("ready\nheard\n")?;
            }
            holds()
        },
    ),
    Check::new(
        3,
        "a stage in a stage hears signals, inside and through the outer one",
        "the mounted /proc may be another PID namespace's, where the same number is another \
         process: take the pid from the pidfd's /proc/self/fdinfo, which follows that /proc",
        |bench| {
            let words = match bench.stage {
                ..8 => "-q --",
                8 => "run -q --",
                _ => "run -q --rootfs / --",
            };
            let again = format!("{} {words} sh -c", bench.binary.display());
            let hears = "trap \"exit 9\" TERM; echo ready; while :; do sleep 0.02; done";
            let mut running = bench.script(&format!("exec {again} '{hears}'")).start()?;
            running.until("ready")?;
            running.signal(Signal::SIGTERM)?;
            running.finish()?.must_end_with(9).context("a signal through the outer one")?;
            // A deaf PID 1 of the inner one, and its parent gets the signal inside.
            let script = format!(
                "{again} 'echo up; exec sleep 1000' > up & until grep -q up up; do sleep 0.01; done
                 kill -TERM $!; wait $!; echo ended $?"
            );
            let ended = bench.script(&script).finish()?.must_end_with(0)?;
            ended.must_write("ended 137\n").context("a signal inside the outer one")?;
            holds()
        },
    )
    .until(12, "a proc that hides something is no whole one, so the kernel mounts no other"),
    Check::new(
        3,
        "a full pipe on standard error does not make the parent deaf",
        "a write(2) to a full pipe blocks until another process reads. While you wait for signals, \
         a line of the log must not block",
        |bench| {
            let (_reader, writer) = full_pipe()?;
            let run = bench.script("echo ready; exec sleep 1000 2>/dev/null");
            let mut running = run.complaining_to(writer).start()?;
            running.until("ready")?;
            running.signal(Signal::SIGTERM)?;
            running.finish()?.must_end_with(137)?;
            holds()
        },
    ),
    Check::new(
        3,
        "a standard error that is closed ends nobody, and makes nobody deaf",
        "the kernel queues a signal that you block even where it is ignored, and a signalfd reads \
         it. So do not block SIGPIPE: your own log would send it to you",
        |bench| {
            let (reader, writer) = pipe()?;
            drop(reader);
            let run = bench.script("sleep 0.05; exit 6").complaining_to(writer);
            run.finish()?.must_end_with(6)?;
            let (reader, writer) = pipe()?;
            let run = bench.script("echo ready; exec sleep 1000");
            let mut running = run.complaining_to(writer).start()?;
            running.until("ready")?;
            drop(reader);
            running.signal(Signal::SIGTERM)?;
            running.finish()?.must_end_with(137)?;
            holds()
        },
    ),
    Check::new(
        3,
        "kill 0 inside reaches nobody outside",
        "a PID namespace hides pids, not process groups: `kill 0` signals the whole group without \
         naming a pid. Let the child lead a group of its own",
        |bench| {
            let outer = "trap 'echo outside heard it' USR1; \"$0\" \"$@\" <&- & wait $!; echo $?";
            let run = bench.script("trap '' USR1; kill -USR1 0; sleep 0.05; exit 4");
            run.under(&["setsid", "sh", "-c", outer])
                .finish()?
                .must_end_with(0)?
                .must_write("4\n")?;
            holds()
        },
    ),
    Check::new(
        3,
        "a signal that PID 1 ignores on purpose does not end it",
        "a bit in SigIgn means that the command chose to ignore the signal: pass it on, do not \
         send SIGKILL",
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
pub(in crate::checks) fn until_heard(pid: Pid, bound: Duration) -> anyhow::Result<()> {
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
