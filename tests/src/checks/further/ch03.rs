//! Further, chapter 3: a file with the pid that those outside need.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};

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
            while !text.ends_with('\n') && start.elapsed() < patience(bench.bound) {
                sleep(Duration::from_millis(1));
                text = fs::read_to_string(bench.folder.join("pid")).unwrap_or_default();
            }
            running.release()?.must_end_with(0)?;
            ensure!(
                text == format!("{child}\n"),
                "the file says {text}, and the command's pid outside is {child}",
                text = told(&text)
            );
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
            for status in [0, 3] {
                let script = format!("exit {status}");
                bench
                    .stage(["--pid-file", "pid", "--", "sh", "-c", &script])
                    .finish()?
                    .must_end_with(status)?;
                ensure!(
                    !file.exists(),
                    "the file is still there after a command that ended with {status}"
                );
            }
            holds()
        },
    ),
];
