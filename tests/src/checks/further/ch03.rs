//! Further, chapter 3: a file with the pid that those outside need.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::sys::signal::Signal;

use super::{Check, holds};
use crate::{patience, process::children_of, told};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        3,
        "--pid-file names the command to the processes outside",
        "a pid is a number in a PID namespace. For the command it is 1; processes outside need the \
         pid that clone(2) returned to the parent",
        |bench| {
            let script = "echo ready; read wait || exit 0";
            let mut running =
                bench.stage(["--pid-file", "pid", "--", "sh", "-c", script]).start_waiting()?;
            running.until("ready")?;
            let child = *children_of(running.pid())?.first().context("the stage has no child")?;
            // The parent writes while the command starts: wait for its newline.
            let mut text = String::new();
            let start = Instant::now();
            while !text.ends_with('\n') && start.elapsed() < patience(Duration::from_secs(2)) {
                sleep(Duration::from_millis(1));
                text = fs::read_to_string(bench.folder.join("pid")).unwrap_or_default();
            }
            running.release()?.must_end_with(0)?;
            ensure!(
                text.trim_end() == child.to_string(),
                "the file has {text}, and the command's pid outside is {child}",
                text = told(&text)
            );
            ensure!(text == format!("{child}\n"), "the file does not end with one newline");
            holds()
        },
    ),
    Check::new(
        3,
        "--pid-file is gone when the stage has ended",
        "the kernel uses a pid again for another process: remove the file when the command has \
         ended, also after an error",
        |bench| {
            let file = bench.folder.join("pid");
            let commands: [(&[&str], i32); 3] =
                [(&["true"], 0), (&["sh", "-c", "exit 3"], 3), (&["./no-such-command"], 127)];
            for (command, status) in commands {
                let words = [&["--pid-file", "pid", "--"], command].concat();
                bench.stage(words).finish()?.must_end_with(status)?;
                ensure!(
                    !file.exists(),
                    "the file is still there after a command that ended with {status}"
                );
            }
            // A deaf PID 1 ends by SIGKILL.
            let words = ["--pid-file", "pid", "--", "sh", "-c", "echo ready; exec sleep 1000"];
            let mut running = bench.stage(words).start()?;
            running.until("ready")?;
            running.signal(Signal::SIGTERM)?;
            running.finish()?.must_end_with(137)?;
            ensure!(!file.exists(), "the file is still there after a command that was killed");
            holds()
        },
    ),
];
