//! Chapter 1: how it ends, and what the exit status says of it.

use std::os::unix::process::CommandExt;

use nix::sys::signal::Signal;

use crate::checks::{Check, holds};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        1,
        "it ends when its command ends",
        "the parent ends when its child has, and not before: ask for the pid's end first, and \
         sleep only if it has not come",
        |bench| {
            bench.stage(["true"]).finish()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        1,
        "the exit status is the command's",
        "waitpid(2) returns the status: pass it on, 128+N for signal N",
        |bench| {
            for status in [0, 1, 7, 125, 255] {
                bench.script(&format!("exit {status}")).finish()?.must_end_with(status)?;
            }
            // A PID 1 cannot end itself by a signal (chapter 3), but its child can, and the shell
            // says how.
            if bench.stage < 3 {
                for signal in [Signal::SIGTERM, Signal::SIGKILL, Signal::SIGSEGV] {
                    bench
                        .script(&format!("kill -{} $$", signal as i32))
                        .finish()?
                        .must_end_with(128 + signal as i32)?;
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
            // A shell that became the stage has left it a child that is not its own.
            let run = bench.script("exit 7").under(&["sh", "-c", "false & exec \"$0\" \"$@\""]);
            run.finish()?.must_end_with(7)?;
            holds()
        },
    ),
];
