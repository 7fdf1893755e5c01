//! Chapter 12: limits that the inside can neither lift nor leave.

use std::{fs, path::Path};

use anyhow::{Context, ensure};

use crate::{
    Bench,
    breach::{below, maps},
    cgroups::group_of,
    checks::Check,
    delegation::{Delegation, delegated},
    layered::script,
    told,
};

/// What the limit must refuse.
const HOG: &str = "exec dd if=/dev/zero of=/dev/null bs=100M count=1";

/// Mounts its own groups, in a cgroup namespace of its own too, and in each group that it sees
/// there writes that there is no limit, and moves itself there. On version 1 the limit on memory
/// and swap comes first. Then it takes more memory than it may have.
const ATTACK: &str = r#"
    attack() {
        mount -t cgroup -o memory none /tmp || mount -t cgroup2 none /tmp || return
        for group in $(find /tmp -type d); do
            for knob in memory.memsw.limit_in_bytes memory.limit_in_bytes memory.swap.max memory.max
            do
                [ ! -e $group/$knob ] || echo -1 >$group/$knob || echo max >$group/$knob
            done
            echo 0 >$group/cgroup.procs && echo $$ >$group/cgroup.procs
        done
        umount /tmp
    }
    if [ "$1" = again ]; then attack; exit; fi
    attack
    unshare --cgroup sh -c "$0" "$0" again
    unshare --user --map-root-user --mount --cgroup sh -c "$0" "$0" again
"#;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        12,
        "root inside can neither lift its limit nor leave it",
        "root inside may mount its cgroups, and where they are delegated they are its own: make a \
         cgroup namespace whose root is a group below the one with the limits",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                for map in maps(bench.user) {
                    attacked(bench, delegation, map)?
                        .must_end_with(137)
                        .with_context(|| format!("with the map {map:?}"))?;
                }
                Ok(())
            })
        },
    )
    .privileged(),
    Check::new(
        12,
        "without a group below the limit, root inside lifts it",
        "this is the attack that the group below the limits prevents: if it failed on the stage \
         below, the other check would prove nothing",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                attacked(&below(bench, 11, "11-nsenter")?, delegation, &[])?.must_end_with(0)?;
                Ok(())
            })
        },
    )
    .not_in_the_workshop(),
    Check::new(
        12,
        "a container sees its own group as the root of all",
        "the path of a group tells how the machine is set up, and where its limits are: a cgroup \
         namespace shows the path from the container's own group on",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                for options in [&["-m", "64m"][..], &[]] {
                    let run = script(bench, options, "cat /proc/self/cgroup; echo up; cat");
                    let mut running = delegation.put(run).start_waiting()?;
                    running.until("up\n")?;
                    let text = running.output();
                    let others = text.lines().filter(|line| line.contains(":/"));
                    let others: Vec<&str> = others.filter(|line| !line.ends_with(":/")).collect();
                    ensure!(others.is_empty(), "inside: {}", told(&others));
                    if !options.is_empty() {
                        let own = group_of(&running.command()?.to_string(), "memory")?;
                        let limited = own.parent().context("a group is in a group")?;
                        let limit = limit(limited)?;
                        ensure!(limit == "67108864", "the group above has the limit {limit}");
                    }
                    running.release()?.must_end_with(0)?;
                }
                Ok(())
            })
        },
    ),
];

/// A limit of 64 MiB, the attack on it, and the hog.
fn attacked(bench: &Bench, delegation: &Delegation, map: &[&str]) -> anyhow::Result<crate::Ended> {
    let action = format!("set -- '{ATTACK}'; sh -c \"$1\" \"$1\" >/dev/null 2>&1; {HOG}");
    delegation.put(script(bench, &[&["-m", "64m"], map].concat(), &action)).finish()
}

fn limit(group: &Path) -> anyhow::Result<String> {
    let knobs = ["memory.max", "memory.limit_in_bytes"];
    let text = knobs.into_iter().find_map(|knob| fs::read_to_string(group.join(knob)).ok());
    Ok(text.context("it has no limit")?.trim_end().to_owned())
}
