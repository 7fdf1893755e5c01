//! Chapter 7: the groups that a run makes, and what is left of them.

use anyhow::ensure;

use crate::{cgroups::group_of, checks::Check, delegation::delegated, host::nobody_stays};

pub(super) const CHECKS: &[Check] = &[Check::new(
    7,
    "a group left by a killed runtime is cleared by the next run",
    "nobody removes a group for you: a lock that ends with its maker tells the next run which \
         groups are left over",
    |bench| {
        delegated(bench, &["memory"], |delegation| {
            let run = bench.stage(["-m", "64m", "--", "sh", "-c", "echo ready; read wait"]);
            let mut running = delegation.put(run).start_waiting()?;
            running.until("ready")?;
            let child = running.command()?;
            let group = group_of(&child.to_string(), "memory")?;
            running.kill_runtime()?;
            running.finish()?.must_end_with(137)?;
            nobody_stays()?;
            ensure!(group.exists(), "a killed runtime cannot have removed {}", group.display());
            delegation
                .put(bench.stage(["-m", "64m", "--", "true"]))
                .finish()?
                .must_end_with(0)?;
            ensure!(!group.exists(), "the next run left {}", group.display());
            Ok(())
        })
    },
)];
