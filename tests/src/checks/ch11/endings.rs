//! Chapter 11: how an `exec` ends that does not end well.

use std::{thread::sleep, time::Duration};

use anyhow::{Context, ensure};
use nix::sys::signal::Signal;

use crate::{
    checks::{Check, holds},
    named::{call, container, exec, nobody_stays_but},
    patience,
    process::wait_for_end,
    repetitions,
    terminal::Terminal,
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        11,
        "a signal in the first moments of exec ends it, and leaves nobody inside",
        "between the start and the command there are three processes: a signal to any of them is \
         for the command, and the others must not go on",
        |bench| {
            let running = container(bench, "box", &["-q"])?;
            let moments = repetitions(42);
            for moment in 0..moments {
                let signals = [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT];
                let signal = signals[moment as usize % signals.len()];
                let inside = exec(bench, &["box"], "exec sleep 1000").start()?;
                let at = LAST_MOMENT * u64::from(moment) / u64::from(moments);
                sleep(patience(Duration::from_micros(at)));
                inside.signal(signal)?;
                let ended = inside.finish()?.must_end_with(128 + signal as i32);
                ended.with_context(|| format!("{signal} after {at} µs"))?;
            }
            nobody_stays_but(&running)?;
            let left = exec(bench, &["box"], "for one in /proc/[0-9]*; do cat $one/comm; done");
            let left = left.finish()?.must_end_with(0)?.text();
            ensure!(!left.contains("sleep"), "inside there are {left}", left = told(&left));
            running.release()?.must_end_with(0)?;
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        11,
        "a terminal that is closed ends what exec runs on it",
        "the kernel sends SIGHUP only to the session leader when its terminal is closed: an exec \
         that leads a session must pass it on, with -t and without",
        |bench| {
            let running = container(bench, "box", &["-q"])?;
            for given in [&[][..], &["-i"], &["-t"], &["-ti"]] {
                let command = ["box", "--", "sh", "-c", "echo ready; exec sleep 1000"];
                let words = [&["exec", "-q"][..], given, &command].concat();
                let mut terminal = Terminal::of_leader(call(bench, &words))?;
                terminal.until("ready\r\n")?;
                ensure!(
                    terminal.hang_up()?,
                    "{given}: it runs on without its terminal",
                    given = told(&given)
                );
                nobody_stays_but(&running).with_context(|| told(&given))?;
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        11,
        "the terminal is as it was after a container that ended under an exec",
        "a shell inside changes the terminal's settings, and cannot restore them if the \
         container's end kills it: the parent must",
        |bench| {
            let script = "stty -echo -icanon -isig; echo ready; exec sleep 1000";
            // The image may have no stty: the host's files have.
            let host = container(bench, "host", &["-q", "--rootfs", "/"])?;
            let words = ["exec", "-q", "-ti", "host", "--", "sh", "-c", script];
            let mut terminal = Terminal::of(call(bench, &words))?;
            let before = terminal.first_flags();
            terminal.until("ready\r\n")?;
            ensure!(terminal.flags()? != before, "stty did nothing");
            host.release()?.must_end_with(0)?;
            let ended = wait_for_end(terminal.pid(), patience(bench.bound))?;
            let after = terminal.flags()?;
            ensure!(ended, "its container has ended, and exec runs on");
            let status = terminal.end()?;
            ensure!(status == 137, "the exit status was {status}, not 137");
            ensure!(
                after == before,
                "the settings were {before}, and are {after}",
                before = told(&before),
                after = told(&after)
            );
            holds()
        },
    ),
    Check::new(
        11,
        "an error of exec of any length comes back, as one line that a person can read",
        "INIT writes its error into a pipe of limited size: read it while INIT runs, or both wait \
         for each other",
        |bench| {
            let running = container(bench, "box", &["-q"])?;
            let (name, folder) = ("A".repeat(100_000), format!("/{}", "A".repeat(100_000)));
            for (words, status) in [
                (&["exec", "-q", "box", "--", &name][..], 127),
                (&["exec", "-q", "--workdir", &folder, "box", "--", "true"], 125),
            ] {
                let ended = call(bench, words).finish()?.must_end_with(status)?;
                let ended = ended.must_complain(&["AAAA"])?;
                let longest = ended.errors.lines().map(str::len).max().unwrap_or(0);
                ensure!(longest < 4096, "a line of {longest} bytes is more than anybody reads");
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
];

/// When an exec has started its command, on a usual machine; in microseconds.
const LAST_MOMENT: u64 = 20_000;
