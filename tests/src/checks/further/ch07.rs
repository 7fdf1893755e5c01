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
        delegated(bench, &["pids"], |delegation| {
            let run =
                bench.stage(["--pids", "4", "--", "sh", "-c", "echo ready; read wait || exit 0"]);
            let mut running = delegation.put(run).start_waiting()?;
            running.until("ready")?;
            let group = group_of(&running.command()?.to_string(), "pids")?;
            let knob = group.join("pids.max");
            let most = fs::read_to_string(&knob)
                .with_context(|| format!("the command's group has no {}", knob.display()))?;
            running.release()?.must_end_with(0)?;
            ensure!(most == "4\n", "pids.max of the command's group is {}", told(&most.trim()));

            let eight = "for number in 1 2 3 4 5 6 7 8; do sleep 1000 & done; echo all eight";
            let ended =
                delegation.put(bench.stage(["--pids", "4", "--", "sh", "-c", eight])).finish()?;
            ensure!(
                ended.status() != 0 && ended.output.is_empty(),
                "under a limit of four, it says {}",
                told(&ended.text())
            );
            delegation
                .put(bench.stage(["--pids", "40", "--", "sh", "-c", eight]))
                .finish()?
                .must_end_with(0)?
                .must_write("all eight\n")?;
            Ok(())
        })
    },
)];
