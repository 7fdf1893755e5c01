//! Chapter 7: when a limit is in force, and which ones are refused.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt};

use anyhow::{Context, ensure};
use nix::unistd::{Pid, geteuid};

use crate::{
    Outcome, User,
    cgroups::{self, group_of, limited},
    checks::{Check, holds},
    delegation::delegated,
    process::status,
    slow, told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        7,
        "a slow parent changes nothing",
        "move the child into its groups before you open the gate: as soon as it is open, the \
         command may start",
        |bench| {
            let mut refused = false;
            let outcome = delegated(bench, &["memory"], |delegation| {
                let run = bench.stage(["-m", "64m", "--", "cat", "/proc/self/cgroup"]);
                let Some(running) = slow::start(delegation.put(run))? else {
                    refused = true;
                    return Ok(());
                };
                slow::hold_back(running.pid(), bench.bound)?;
                let text = running.finish()?.must_end_with(0)?.text();
                ensure!(
                    // From 12 on its own group is the root of those that it sees.
                    text.contains("/container-")
                        || bench.stage >= 12 && text.lines().all(|line| line.ends_with(":/")),
                    "when the command starts, it is in these groups: {text}"
                );
                Ok(())
            })?;
            Ok(if refused { slow::skipped() } else { outcome })
        },
    ),
    Check::new(
        7,
        "the limits are in force before the command exists",
        "set the limit and move the child while it waits at the gate: later, what it has \
         already is its own",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                // The command's very first act is to say where it is; its group has the limit then.
                let run =
                    bench.stage(["-m", "64m", "--", "sh", "-c", "echo ready; read wait || exit 0"]);
                let mut running = delegation.put(run).start_waiting()?;
                running.until("ready")?;
                let child = running.command()?;
                let group = limited(&child.to_string(), "memory")?;
                let limit = ["memory.max", "memory.limit_in_bytes"]
                    .map(|knob| fs::read_to_string(group.join(knob)));
                let limit =
                    limit.into_iter().flatten().next().context("no limit in the child's group")?;
                ensure!(limit.trim() == "67108864", "the limit in {} is {limit}", group.display());
                ensure!(group_of("self", "memory")? != group, "the judge is in that group too");
                running.release()?.must_end_with(0).map(drop)
            })
        },
    ),
    Check::new(
        7,
        "cpu shares and processors are set",
        "on v1 each subsystem may have its own hierarchy: make a group in each, and move the \
         child into all of them",
        |bench| {
            delegated(bench, &["cpu", "cpuset"], |delegation| {
                let script = "grep Cpus_allowed_list /proc/self/status; echo ready; read \
                              wait || exit 0";
                let allowed = status(Pid::this(), "Cpus_allowed_list")?;
                let first = allowed.split([',', '-']).next().unwrap_or_default();
                let run = bench.stage([
                    "--cpu-shares",
                    "512",
                    "--cpuset-cpus",
                    first,
                    "--",
                    "sh",
                    "-c",
                    script,
                ]);
                let mut running = delegation.put(run).start_waiting()?;
                running.until("ready")?;
                ensure!(
                    running.output() == format!("Cpus_allowed_list:\t{first}\nready\n"),
                    "inside: {}",
                    told(&running.output())
                );
                let child = running.command()?;
                let group = limited(&child.to_string(), "cpu")?;
                let (knob, expected) = match cgroups::with("cpu")?.is_v2 {
                    false => ("cpu.shares", "512\n"),
                    true => ("cpu.weight", "59\n"),
                };
                let value = fs::read_to_string(group.join(knob))?;
                ensure!(
                    value == expected,
                    "{knob} is {value}, not {expected}",
                    value = told(&value),
                    expected = told(&expected)
                );
                running.release()?.must_end_with(0)?;
                let run = bench.stage(["--cpuset-cpus", "4096", "--", "echo", "ran"]);
                delegation
                    .put(run)
                    .finish()?
                    .must_end_with(125)?
                    .must_complain(&["cpuset.cpus"])?
                    .must_write("")
                    .map(drop)
            })
        },
    ),
    Check::new(
        7,
        "limits that make no sense are refused before anything is made",
        "check a limit before you write it: the kernel rounds, and takes some words for zero",
        |bench| {
            let wrong = [
                ["--memory", "0"],
                ["--memory", "-100m"],
                ["--memory", "lots"],
                ["--memory", "100x"],
                ["--memory", "99999999999999999999"],
                ["--memory", "9223372036854775807"],
                ["--memory", "100"],
                ["--cpu-shares", "1"],
                ["--cpu-shares", "262145"],
                ["--cpu-shares", "+1024"],
                ["--cpuset-cpus", "1-0"],
                ["--cpuset-cpus", "a"],
            ];
            for [option, value] in wrong {
                let ended = bench
                    .stage([&format!("{option}={value}"), "--", "echo", "ran"])
                    .finish()?
                    .must_end_with(2)?;
                ended.must_complain(&[value])?.must_write("")?;
            }
            holds()
        },
    ),
    Check::new(
        7,
        "a mount keeps no limit from being set, whatever its name is",
        "read /proc/self/mountinfo as bytes: a mount point may have any name, and one that is no \
         UTF-8, too",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                let folder = bench.temporary().join(OsStr::from_bytes(b"caf\xe9"));
                fs::create_dir(&folder).context("make a folder")?;
                let stage = bench.stage(["-m", "64m", "--", "true"]).within(&folder);
                let mount = "mount -t tmpfs none \"$PWD\" && exec \"$0\" \"$@\"";
                let run = stage.under(&["unshare", "-rm", "sh", "-c", mount]);
                let ended = delegation.put(run).finish()?;
                fs::remove_dir(&folder).context("remove it again")?;
                ended.must_end_with(0).map(drop)
            })
        },
    ),
    Check::new(
        7,
        "without a delegated group the error says how to get one",
        "an ordinary user needs a delegated group: if there is none, say how to get one",
        |bench| {
            if !geteuid().is_root() && cgroups::is_delegated()? {
                return Ok(Outcome::Skipped(
                    "this process is in a cgroup that was delegated".into(),
                ));
            }
            let ended = bench
                .stage(["-m", "64m", "--", "echo", "ran"])
                .finish()?
                .must_end_with(125)?
                .must_write("")?;
            let way_out = match cgroups::memory_is_on_v1()? {
                true => "only root can give a group away",
                false => "systemd-run --user --scope -p Delegate=yes",
            };
            ended.must_complain(&["limit memory", way_out])?;
            holds()
        },
    )
    .only_as(User::Ordinary),
];
