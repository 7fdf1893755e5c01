//! Chapter 10: an entry means a process, and not a number.

use std::fs;

use anyhow::{Context, ensure};
use nix::unistd::Pid;

use crate::{
    checks::{Check, holds},
    named::{call, container, entry, with_other_start},
    process, told,
};

pub(super) const CHECKS: &[Check] = &[Check::new(
    10,
    "an entry says which process it is, and not only its pid",
    "another process may have the pid by now: the start time in /proc/PID/stat tells the two \
     apart, and a pidfd that you opened before you read it tells whether the process was still \
     there",
    |bench| {
        let running = container(bench, "box", &["--rootfs", "/"])?;
        let text = fs::read_to_string(entry(bench, "box")).context("read the entry")?;
        for field in ["run", "container"] {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{field} ")));
            let words: Vec<&str> = line.unwrap_or_default().split(' ').collect();
            let [pid, start, _] = words[..] else {
                anyhow::bail!("the entry has no line `{field} PID START INODE`: {text}")
            };
            let found = process::start_time(Pid::from_raw(pid.parse()?))?;
            ensure!(
                start == found.to_string(),
                "the entry says of {field} that process {pid} started at {start}, /proc at {found}"
            );
        }
        // Both processes have ended, and others have their pids: the start times say so.
        for field in ["container", "run"] {
            let name = if field == "container" { "box" } else { "old" };
            let text = with_other_start(bench, name, field)?;
            fs::write(entry(bench, "old"), text)?;
        }
        let refused = call(bench, &["kill", "old"]).finish()?.must_end_with(125)?;
        refused.must_complain(&["old has ended"])?;
        let listed = call(bench, &["ps"]).finish()?.must_end_with(0)?.text();
        ensure!(
            listed.contains("box") && !listed.contains("old"),
            "ps lists {listed}, and only box runs",
            listed = told(&listed)
        );
        ensure!(!entry(bench, "old").exists(), "ps has left an entry whose pids are others' now");
        running.release()?.must_end_with(0)?;
        holds()
    },
)];
