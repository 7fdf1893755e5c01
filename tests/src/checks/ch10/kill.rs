//! Chapter 10: a signal for a container's PID 1, and for nobody else.

use std::{fs, thread::sleep, time::Duration};

use anyhow::{Context, ensure};
use nix::{errno::Errno, sys::signal::Signal};

use crate::{
    Ended,
    checks::{Check, holds},
    host::nobody_stays,
    named::{call, container_that, entry},
    seccomp::refuse,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        10,
        "kill sends PID 1 the signal that was asked for, and no other",
        "send exactly the signal that was asked for: a program may handle TERM as it likes, only \
         KILL forces it to end",
        |bench| {
            let at_root = ["--rootfs", "/"];
            for (script, words, status) in [
                (HEARS, &["kill", "box"][..], 5),
                (HEARS, &["kill", "box", "--signal", "USR1"], 6),
                (HEARS, &["kill", "--signal", "HUP", "box"], 7),
                (DEAF, &["kill", "box", "--signal", "KILL"], 137),
            ] {
                let running = container_that(bench, "box", &at_root, script)?;
                call(bench, words).finish()?.must_end_with(0)?;
                running.finish()?.must_end_with(status).with_context(|| words.join(" "))?;
            }
            // The kernel takes TERM, PID 1 does not hear it, and nobody makes it worse.
            let running = container_that(bench, "box", &at_root, DEAF)?;
            call(bench, &["kill", "box"]).finish()?.must_end_with(0)?;
            running.release()?.must_end_with(8)?;
            call(bench, &["kill", "box"])
                .finish()?
                .must_end_with(125)?
                .must_complain(&["box"])?;
            call(bench, &["kill", "box", "--signal", "LOUD"]).finish()?.must_end_with(2)?;
            holds()
        },
    ),
    Check::new(
        10,
        "kill means the process, not the number",
        "kill(2) takes a number and hits the process that has it now; pidfd_send_signal(2) hits \
         the process that you opened",
        |bench| {
            let running = container_that(bench, "box", &["--rootfs", "/"], HEARS)?;
            let by_pidfd = call(bench, &["kill", "box"]).with(refuse(&BY_PID, Errno::EPERM)?);
            let ended = by_pidfd.finish()?;
            if ended.status() != 0 {
                running.signal(Signal::SIGTERM)?;
            }
            running.finish()?.must_end_with(5)?;
            ended
                .must_end_with(0)
                .context("the kernel refuses a signal to a pid here, not to a pidfd")?;

            // What a SIGKILL has left: by now the pid is another process's, with a later start.
            let old = container_that(bench, "old", &["--rootfs", "/"], HEARS)?;
            let text = fs::read_to_string(entry(bench, "old"))?;
            let pid = old.command()?.to_string();
            old.kill_runtime()?;
            old.finish()?.must_end_with(137)?;
            nobody_stays()?;
            sleep(Duration::from_millis(20)); // a later tick of the clock
            let mut other =
                bench.run("sh", ["-c", "echo up; read wait || exit 0"]).start_waiting()?;
            other.until("up\n")?;
            let reused = text.replace(&format!(" {pid} "), &format!(" {} ", other.pid()));
            ensure!(reused != text, "the entry does not name process {pid}: {text}");
            fs::write(entry(bench, "old"), reused)?;
            let ended = call(bench, &["kill", "old"]).finish()?;
            let untouched = other.release()?.status();
            ensure!(untouched == 0, "the signal hit a process of another program");
            ended.must_end_with(125)?.must_complain(&["old has ended"])?;
            call(bench, &["ps"]).finish()?.must_end_with(0)?; // it clears the entry
            holds()
        },
    ),
    Check::new(
        10,
        "kill says what becomes of the signal",
        "the kernel drops a signal for which PID 1 has no handler, and may refuse another: find \
         out about this signal, say so, and return the kernel's reason with the container's name",
        |bench| {
            let at_root = ["--rootfs", "/"];
            let running = container_that(bench, "box", &at_root, DEAF)?;
            for signal in ["TERM", "USR1"] {
                let words = ["kill", "box", "--signal", signal];
                let dropped = call(bench, &words).finish()?.must_end_with(0)?;
                ensure!(warns(&dropped), "PID 1 has no handler for {signal}: nothing says so");
            }
            let refused = call(bench, &["kill", "box"])
                .with(refuse(&[libc::SYS_pidfd_send_signal], Errno::EPERM)?);
            let refused = refused.finish()?.must_end_with(125);
            let refused = refused.context("where the kernel refuses pidfd_send_signal(2)")?;
            refused.must_complain(&["box", "not permitted"])?;
            let killed = call(bench, &["kill", "box", "--signal", "KILL"]).finish()?;
            ensure!(!warns(&killed.must_end_with(0)?), "KILL needs no handler");
            running.finish()?.must_end_with(137)?;
            let running = container_that(bench, "box", &at_root, WAITS)?;
            let dropped = call(bench, &["kill", "box", "--signal", "USR2"]).finish()?;
            ensure!(warns(&dropped.must_end_with(0)?), "PID 1 has no handler for USR2");
            let heard = call(bench, &["kill", "box"]).finish()?.must_end_with(0)?;
            ensure!(!warns(&heard), "PID 1 has a handler for TERM, and kill says that it has none");
            running.finish()?.must_end_with(5)?;
            holds()
        },
    ),
];

/// A PID 1 with handlers, which says by its exit status what it heard.
const HEARS: &str = "trap 'exit 5' TERM; trap 'exit 6' USR1; trap 'exit 7' HUP; echo up
                     while :; do sleep 0.02; done";

/// One with a handler for TERM only. (A shell that starts a process blocks its signals meanwhile.)
pub(super) const WAITS: &str = "trap 'exit 5' TERM; echo up; read wait; exit 9";

/// One without, for which the kernel drops all but KILL and STOP.
const DEAF: &str = "echo up; read wait || exit 8";

/// Whether `kill` says that PID 1 has no handler for the signal.
pub(super) fn warns(ended: &Ended) -> bool {
    ended.messages().iter().any(|message| message.contains("has no handler for it"))
}

/// What signals a process by its pid.
const BY_PID: [libc::c_long; 4] =
    [libc::SYS_kill, libc::SYS_tkill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo];
