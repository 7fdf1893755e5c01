//! Chapter 11: the container's limits hold for what `exec` runs.

use std::fs;

use anyhow::ensure;

use crate::{
    User,
    cgroups::{self, move_all},
    checks::{Check, holds},
    delegation::delegated,
    named::{call, container, exec},
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        11,
        "a cgroup that the container has made below its own is joined",
        "the container's limits hold for all groups below its own: look for its name anywhere in \
         the path",
        |bench| {
            let running = container(bench, "box", &["-q", "-m", "100m"])?;
            let pid = running.command()?;
            let group = cgroups::group_of(&pid.to_string(), "memory")?;
            let sub = group.join("sub");
            fs::create_dir(&sub)?;
            let moved = move_all(&group, &sub).and_then(|()| {
                let ended = exec(bench, &["box"], "cat /proc/self/cgroup").finish()?;
                let found = cgroups::lasting(&ended.must_end_with(0)?.text());
                let own = cgroups::seen_inside(bench, pid)?;
                ensure!(
                    found == own && own.contains("/sub"),
                    "exec is in {found}, the container in {own}",
                    found = told(&found),
                    own = told(&own)
                );
                Ok(())
            });
            move_all(&sub, &group)?;
            fs::remove_dir(&sub)?;
            moved?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    )
    .only_as(User::Root),
    Check::new(
        11,
        "the container's limit holds for what exec runs",
        "write INIT's pid into cgroup.procs before the gate opens: otherwise the command runs \
         without the limits",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                let words = [
                    "run",
                    "-i",
                    "--name",
                    "box",
                    "-m",
                    "40m",
                    "--rootfs",
                    "/",
                    "--",
                    "sh",
                    "-c",
                    "echo up; cat",
                ];
                let mut running = delegation.put(call(bench, &words)).start_waiting()?;
                running.until("up\n")?;
                let own = cgroups::seen_inside(bench, running.command()?)?;
                let look = exec(bench, &["box"], "cat /proc/self/cgroup");
                let ended = delegation.put(look).finish()?.must_end_with(0)?;
                let found = cgroups::lasting(&ended.text());
                ensure!(
                    found == own,
                    "exec is in {found}, the container in {own}",
                    found = told(&found),
                    own = told(&own)
                );
                // The limit ends what exec runs, and leaves the container's own command.
                let eat = bench.other("inside").display().to_string();
                let hog = delegation
                    .put(call(bench, &["exec", "-q", "box", "--", &eat, "eat", "100"]))
                    .finish()?;
                hog.must_end_with(137)?;
                running.release()?.must_end_with(0)?;
                Ok(())
            })
        },
    ),
];
