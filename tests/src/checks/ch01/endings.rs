//! Chapter 1: how it ends, and what the exit status says of it.

use std::{io, mem, os::unix::process::CommandExt};

use anyhow::ensure;
use nix::{errno::Errno, sys::signal::Signal};

use crate::{
    checks::{Check, holds},
    seccomp::{kill_at, refuse},
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        1,
        "it ends when its command ends",
        "the parent ends after its child and not before. Wait for the child itself, by its pid or \
         pidfd: a SIGCHLD may have come before you wait",
        |bench| {
            bench.stage(["true"]).finish()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        1,
        "each signal that ends the command is told, real-time ones too",
        "signals have numbers from 1 to 64. Take the number from the status of wait(2); a list of \
         names that stops at 31 loses the real-time signals",
        |bench| {
            for signal in [34, 40, 64] {
                // A PID 1 cannot end itself by a signal (chapter 3), but its child can.
                let script = match bench.stage {
                    ..3 => format!("kill -{signal} $$"),
                    _ => format!("sh -c 'kill -{signal} $$'; exit $?"),
                };
                bench.script(&script).finish()?.must_end_with(128 + signal)?;
            }
            holds()
        },
    ),
    Check::new(
        1,
        "a child that is killed before it is the command has no exit status of it",
        "an empty error pipe means that execve(2) succeeded, or that the child was killed before \
         it. Let the child write a mark right before execve(2)",
        |bench| {
            let words = ["--hostname", "boxed", "--", "echo", "ran"];
            let killed = bench.stage(words).with(kill_at(libc::SYS_sethostname)?);
            let ended = killed.finish()?.must_end_with(125)?.must_write("")?;
            ended.must_complain(&["before it became the command"])?;
            holds()
        },
    ),
    Check::new(
        1,
        "an error of any length comes back, as one line that a person can read",
        "a pipe holds 64 KiB or less. If the child's error is longer, the child blocks in \
         write(2), and a parent that waits for its end waits for ever: read the pipe while you \
         wait",
        |bench| {
            let long = "A".repeat(100_000);
            let path = format!("/{long}");
            let mut errors = vec![(vec!["--", &long], 127), (vec!["--", &path], 126)];
            if bench.stage >= 4 {
                errors.push((vec!["--rootfs", &path, "--", "true"], 125));
            }
            if bench.stage >= 8 {
                errors.push((vec!["--init", "--", &long], 127));
            }
            for (words, status) in errors {
                let ended = bench.stage(words).finish()?.must_end_with(status)?;
                let ended = ended.must_complain(&["AAAA"])?;
                let longest = ended.errors.lines().map(str::len).max().unwrap_or(0);
                ensure!(longest < 4096, "a line of {longest} bytes is more than anybody reads");
            }
            holds()
        },
    ),
    Check::new(
        1,
        "a child is waited for once, and an error of it is told",
        "when you have waited for the child, note in is_reaped that it is done: a later signal may \
         be for nobody. If you have not, you know no exit status: return the error of waitid(2)",
        |bench| {
            // A signal would end the stage.
            let run = bench.script("exit 5").with(kill_at(libc::SYS_pidfd_send_signal)?);
            run.finish()?.must_end_with(5)?;
            bench
                .script("exit 0")
                .with(refuse(&[libc::SYS_waitid], Errno::ECHILD)?)
                .finish()?
                .must_end_with(125)?
                .must_complain(&["No child"])?;
            holds()
        },
    )
    .until(3, "from there on the stage's other processes wait, too"),
    Check::new(
        1,
        "the exit status is the command's",
        "waitid(2) returns the exit status or the signal: pass on which of the two it was, and the \
         stage ends with 128+N for signal N",
        |bench| {
            for status in [0, 1, 7, 125, 255] {
                bench.script(&format!("exit {status}")).finish()?.must_end_with(status)?;
            }
            // A PID 1 cannot end itself by a signal (chapter 3), but its child can, and the shell
            // says how.
            if bench.stage < 3 {
                for signal in [Signal::SIGTERM, Signal::SIGKILL, Signal::SIGSEGV] {
                    let ended = bench
                        .script(&format!("kill -{} $$", signal as i32))
                        .finish()?
                        .must_end_with(128 + signal as i32)?;
                    let is_said = |said: &String| said.contains("ended with signal ");
                    ensure!(
                        ended.messages().iter().any(is_said),
                        "the log does not say that {signal} ended the command"
                    );
                }
            }
            bench.script("sh -c 'kill -9 $$'; exit $?").finish()?.must_end_with(137)?;
            let run = bench.script("exit 5").with(|command| {
                // SAFETY: signal(2) is async-signal-safe, and SIG_IGN installs no handler.
                unsafe {
                    command.pre_exec(|| {
                        libc::signal(libc::SIGCHLD, libc::SIG_IGN);
                        Ok(())
                    });
                }
            });
            run.finish()?.must_end_with(5)?; // also for a caller that ignores SIGCHLD
            // A program that became the stage has left it a child that is not its own.
            let run = bench.script("exit 7").with(|command| {
                // SAFETY: `have_a_child` makes three system calls: no lock, no allocation.
                unsafe { command.pre_exec(have_a_child) };
            });
            run.finish()?.must_end_with(7)?;
            holds()
        },
    ),
];

/// Makes a child that ends with status 1, and waits until it has ended, but leaves the status.
fn have_a_child() -> io::Result<()> {
    // SAFETY: the child makes one system call; waitid writes to a siginfo_t, for which zeroes are a
    // value.
    unsafe {
        let child = Errno::result(libc::fork())?;
        if child == 0 {
            libc::_exit(1);
        }
        let mut ended: libc::siginfo_t = mem::zeroed();
        let options = libc::WEXITED | libc::WNOWAIT;
        Errno::result(libc::waitid(libc::P_PID, child as libc::id_t, &mut ended, options))?;
    }
    Ok(())
}
