//! Chapter 10: an entry means a process, and not a number.

use std::fs;

use anyhow::{Context, ensure};
use nix::{sys::signal::Signal, unistd::Pid};

use crate::{
    checks::{Check, holds},
    named::{call, container, entry, with_other_start, without_container},
    patience, process, told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
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
                    "the entry says of {field} that process {pid} started at {start}, /proc at \
                     {found}"
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
            ensure!(
                !entry(bench, "old").exists(),
                "ps has left an entry whose pids are others' now"
            );
            // The container's process has ended, and its parent has not looked yet.
            let zombie = bench.run("sleep", ["1000"]).start()?;
            zombie.signal(Signal::SIGKILL)?;
            ensure!(
                process::wait_for_end(zombie.pid(), patience(bench.bound))?,
                "SIGKILL ends it not"
            );
            fs::write(
                entry(bench, "old"),
                format!("{}container {} 1 0\n", without_container(bench, "box")?, zombie.pid()),
            )?;
            let refused = call(bench, &["kill", "old"]).finish()?;
            zombie.finish()?.must_end_with(137)?;
            refused.must_end_with(125)?.must_complain(&["old has ended"])?;
            fs::remove_file(entry(bench, "old"))?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "an entry without a container is kept while its run lives, and no longer",
        "before the container is set up, its entry names one process only, the one that keeps it: \
         as long as that lives, the name is taken, and afterwards the entry is left over",
        |bench| {
            let running = container(bench, "box", &["--rootfs", "/"])?;
            // Before the container is set up, the entry has one process only.
            fs::write(entry(bench, "old"), without_container(bench, "box")?)?;
            let early = call(bench, &["kill", "old"]).finish()?.must_end_with(125)?;
            early.must_complain(&["old is not set up yet"])?;
            call(bench, &["ps"]).finish()?.must_end_with(0)?;
            ensure!(
                entry(bench, "old").exists(),
                "ps has cleared a name whose container comes yet"
            );
            fs::write(entry(bench, "old"), with_other_start(bench, "old", "run")?)?;
            let refused = call(bench, &["kill", "old"]).finish()?.must_end_with(125)?;
            refused.must_complain(&["old has ended before it was set up"])?;
            call(bench, &["ps"]).finish()?.must_end_with(0)?;
            ensure!(!entry(bench, "old").exists(), "ps has left an entry whose run was killed");
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
];
