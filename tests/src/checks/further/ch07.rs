//! Further, chapter 7: one more subsystem.

use std::fs;

use anyhow::{Context, ensure};

use super::Check;
use crate::{cgroups::group_of, delegation::delegated, told};

pub(super) const CHECKS: &[Check] = &[Check::new(
    7,
    "--pids limits how many processes there are",
    "enter pids in the list of controllers, and write the number to pids.max of the group",
    |bench| {
        for wrong in ["--pids=0", "--pids=-1", "--pids=max"] {
            let ended = bench.stage([wrong, "--", "echo", "ran"]).finish()?;
            ended.must_end_with(2)?.must_write("")?;
        }
        let ended = bench.stage(["--", "cat", "/proc/self/cgroup"]).finish()?.must_end_with(0)?;
        let group = ended.text();
        ensure!(!group.contains("/container-"), "without a limit there is a group: {group}");

        delegated(bench, &["memory", "pids"], |delegation| {
            let script = "echo ready; read wait || exit 0";
            let run = bench.stage(["-m", "64m", "--pids", "4", "--", "sh", "-c", script]);
            let mut running = delegation.put(run).start_waiting()?;
            running.until("ready")?;
            let group = group_of(&running.command()?.to_string(), "pids")?;
            let knob = group.join("pids.max");
            let most = fs::read_to_string(&knob)
                .with_context(|| format!("the command's group has no {}", knob.display()))?;
            running.release()?.must_end_with(0)?;
            ensure!(most == "4\n", "pids.max of the command's group is {}", told(&most.trim()));

            let two = |most| bench.stage(["--pids", most, "--", "timeout", "5", "echo", "forked"]);
            let ended = delegation.put(two("1")).finish()?;
            ensure!(
                ended.status() != 0 && ended.output.is_empty(),
                "under a limit of one, a second process says {}",
                told(&ended.text())
            );
            let ended = delegation.put(two("2")).finish()?;
            ended.must_end_with(0)?.must_write("forked\n")?;
            Ok(())
        })
    },
)];
