//! Chapter 7: the groups that a run makes, and what is left of them.

use std::{fs, os::unix::fs::chown, path::Path, path::PathBuf};

use anyhow::{Context, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::geteuid,
};

use crate::{
    Bench, Outcome, User,
    bench::{Ended, Run, Running},
    cgroups::{self, group_of, memory_is_on_v1},
    checks::{Check, holds},
    delegation::{Delegation, delegated},
    host::nobody_stays,
    patience,
    process::killed,
    repetitions,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        7,
        "a group left by a killed runtime is cleared by the next run",
        "the kernel keeps a group whose maker was killed: hold a lock on it, so that the next run \
         can tell which groups are left over, and remove them",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                let (running, group) = waiting(bench, delegation)?;
                running.kill_runtime()?;
                running.finish()?.must_end_with(137)?;
                nobody_stays()?;
                ensure!(group.exists(), "a killed runtime cannot have removed {}", group.display());
                delegation.put(bench.stage(LIMITED)).finish()?.must_end_with(0)?;
                ensure!(!group.exists(), "the next run left {}", group.display());
                Ok(())
            })
        },
    ),
    Check::new(
        7,
        "groups below the container's own are removed with it",
        "rmdir(2) refuses a group that has groups below it, and the container may have made some: \
         remove the lowest first, after a killed runtime too",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                let (running, group) = waiting(bench, delegation)?;
                make_below(bench, &group)?;
                running.release()?.must_end_with(0)?;
                ensure!(!group.exists(), "{} is left at the end", group.display());

                let (running, group) = waiting(bench, delegation)?;
                make_below(bench, &group)?;
                running.signal(Signal::SIGTERM)?;
                running.finish()?.must_end_with(137)?;
                ensure!(!group.exists(), "{} is left after a SIGTERM", group.display());

                let (running, group) = waiting(bench, delegation)?;
                make_below(bench, &group)?;
                running.kill_runtime()?;
                running.finish()?.must_end_with(137)?;
                nobody_stays()?;
                delegation.put(bench.stage(LIMITED)).finish()?.must_end_with(0)?;
                ensure!(!group.exists(), "the next run left {}", group.display());
                Ok(())
            })
        },
    ),
    Check::new(
        7,
        "a living container keeps its groups, whatever became of its run",
        "look whether a group or one below it has a process before you remove one: rmdir(2) keeps \
         the group of the process, but not the empty ones",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                let forget =
                    [&*bench.other("inside").display().to_string(), "forget"].map(str::to_owned);
                let words = ["-m", "64m", "--"].map(str::to_owned).into_iter().chain(forget);
                let mut running = delegation.put(bench.stage(words)).start()?;
                running.until("up")?;
                let container = running.command()?;
                let group = group_of(&container.to_string(), "memory")?;
                make_below(bench, &group)?;
                running.kill_runtime()?;
                running.finish()?.must_end_with(137)?;
                delegation.put(bench.stage(LIMITED)).finish()?.must_end_with(0)?;
                let is_there = group.join("made/inside").exists();
                kill(container, Signal::SIGKILL).context("the container has ended with its run")?;
                killed(container, patience(bench.bound))?;
                nobody_stays()?;
                ensure!(is_there, "the next run removed the groups of a container that lives");
                delegation.put(bench.stage(LIMITED)).finish()?.must_end_with(0)?;
                ensure!(!group.exists(), "the next run left {}", group.display());
                Ok(())
            })
        },
    ),
    Check::new(
        7,
        "a limited stage in a limited stage leaves no group",
        "a program inside may make groups and be killed before it removes them: remove those too",
        |bench| {
            if !memory_is_on_v1()? {
                return Ok(Outcome::Skipped(
                    "on cgroup v2 a container's group has processes, and so none below it".into(),
                ));
            }
            let again = bench.binary.display().to_string();
            let [outer, inner] = ["64m", "32m"].map(|most| words(bench, &["-m", most]));
            let command = ["sh", "-c", "echo ready; exec sleep 1000"];
            let all = [&outer[..], &["--", &again], &inner, &["--"], &command].concat();
            let mut running = bench.run(&bench.binary, all).start()?;
            running.until("ready")?;
            let outer = group_of(&running.command()?.to_string(), "memory")?;
            ensure!(has_groups(&outer)?, "the inner one has no group below {}", outer.display());
            running.signal(Signal::SIGTERM)?;
            running.finish()?.must_end_with(137)?;
            ensure!(!outer.exists(), "{} is left", outer.display());
            holds()
        },
    )
    .until(12, "a proc that hides something is no whole one, so the kernel mounts no other")
    .only_as(User::Root),
    Check::new(
        7,
        "a run in another PID namespace takes no group away",
        "find out with a lock whether a group's maker has ended: a pid means another process in \
         another PID namespace",
        |bench| {
            if let Some(reason) = bench.no_user_namespace()? {
                return Ok(Outcome::Skipped(reason));
            }
            delegated(bench, &["memory"], |delegation| {
                let stage = bench.binary.display().to_string();
                let once = [&[&*stage][..], &words(bench, &["-q", "-m", "64m"]), &["--"]].concat();
                if !memory_is_on_v1()? {
                    let all = [&ELSEWHERE[..], &once, &["true"]].concat();
                    return on_v2(bench, delegation, || {
                        delegation.put(bench.run(all[0], &all[1..])).finish()
                    });
                }
                let many = format!(
                    "n=0; while [ $n -lt {} ]; do \"$@\" true || exit; n=$((n + 1)); done",
                    repetitions(40)
                );
                let script = [&["sh", "-c", &many, "sh"][..], &once].concat();
                let [here, there] = [&[][..], &ELSEWHERE].map(|under| {
                    let all = [under, &script].concat();
                    delegation.put(bench.run(all[0], &all[1..])).start()
                });
                let (here, there) = (here?, there?);
                let (here, there) = (here.finish()?, there.finish()?);
                let there = there.must_end_with(0).context("in another PID namespace");
                here.must_end_with(0).context("beside those in another PID namespace")?;
                there.map(drop)
            })
        },
    )
    .that_takes_long()
    .not_in_the_workshop(),
    Check::new(
        7,
        "a group that the container has left and removed is no error of the run's",
        "when the command has ended, its exit status is the run's: a limit that cannot be read \
         any more is a warning",
        |bench| {
            if !geteuid().is_root() {
                return Ok(Outcome::Skipped("only root may move processes out of a group".into()));
            }
            delegated(bench, &["memory"], |delegation| {
                let run =
                    bench.stage(["-m", "64m", "--", "sh", "-c", "echo up; read wait; exit 7"]);
                let mut running = delegation.put(run).start_waiting()?;
                running.until("up")?;
                let group = group_of(&running.command()?.to_string(), "memory")?;
                cgroups::move_all(&group, &group_of("self", "memory")?)?;
                fs::remove_dir(&group).with_context(|| format!("remove {}", group.display()))?;
                running.release()?.must_end_with(7).map(drop)
            })
        },
    ),
    Check::new(
        7,
        "a delegated group with another user's process is refused, and nothing hangs",
        "a flock(2) lock belongs to an open file: if you open and lock it a second time, for \
         example while you clear up after an error, you wait for yourself",
        |bench| {
            if memory_is_on_v1()? {
                return Ok(Outcome::Skipped("memory is on cgroup v1 here: nothing moves".into()));
            }
            if !geteuid().is_root() {
                return Ok(Outcome::Skipped("only root can put a process there".into()));
            }
            delegated(bench, &["memory"], |delegation| {
                let place = bench.folder.parent().context("a bench is in a folder")?;
                let root = Bench::new(bench.stage, &bench.binary, User::Root, place)?;
                let other = delegation.put(root.run("sleep", ["1000"])).start()?;
                for _ in 0..2 {
                    let refused = delegation.put(bench.stage(LIMITED)).finish()?;
                    refused.must_end_with(125)?.must_complain(&["is another user's"])?;
                }
                other.signal(Signal::SIGKILL)?;
                other.finish()?.must_end_with(137)?;
                delegation.put(bench.stage(LIMITED)).finish()?.must_end_with(0).map(drop)
            })
        },
    )
    .only_as(User::Ordinary),
];

/// In another PID namespace.
const ELSEWHERE: [&str; 5] = ["unshare", "-r", "-p", "-f", "--mount-proc"];

/// On version 2 the processes of a delegated group must move first, and from another PID namespace
/// those outside of it cannot: a run there is refused, unless a run outside has moved them.
fn on_v2(
    bench: &Bench,
    delegation: &Delegation,
    elsewhere: impl Fn() -> anyhow::Result<Ended>,
) -> anyhow::Result<()> {
    let (running, group) = waiting(bench, delegation)?;
    let beside = elsewhere()?;
    ensure!(group.exists(), "a run in another PID namespace has removed {}", group.display());
    running.release()?.must_end_with(0)?;
    if bench.user == User::Ordinary {
        beside.must_end_with(0)?;
        elsewhere()?.must_end_with(125)?.must_complain(&["another PID namespace"])?;
    } else {
        // Root's group may be the root of the hierarchy, where nothing must move.
        ensure!([0, 125].contains(&beside.status()), "its exit status is {}", beside.status());
    }
    delegation.put(bench.stage(LIMITED)).finish()?.must_end_with(0).map(drop)
}

/// A run with a limit that does nothing.
const LIMITED: [&str; 4] = ["-m", "64m", "--", "true"];

/// A run with a limit that waits for the end of its input, and its group.
fn waiting(bench: &Bench, delegation: &Delegation) -> anyhow::Result<(Running, PathBuf)> {
    let run: Run = bench.stage(["-m", "64m", "--", "sh", "-c", "echo ready; read wait || exit 0"]);
    let mut running = delegation.put(run).start_waiting()?;
    running.until("ready")?;
    let group = group_of(&running.command()?.to_string(), "memory")?;
    Ok((running, group))
}

/// What the container may do that can see its group: two groups below it, one below the other.
fn make_below(bench: &Bench, group: &Path) -> anyhow::Result<()> {
    for below in ["made", "made/inside"] {
        let folder = group.join(below);
        fs::create_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
        if geteuid().is_root() {
            chown(&folder, Some(bench.user.uid()), Some(bench.user.gid()))?;
        }
    }
    Ok(())
}

fn has_groups(group: &Path) -> anyhow::Result<bool> {
    let entries = fs::read_dir(group).with_context(|| format!("read {}", group.display()))?;
    Ok(entries.flatten().any(|entry| entry.path().is_dir()))
}

/// The stage's words before its command, with these options.
fn words<'a>(bench: &Bench, options: &[&'a str]) -> Vec<&'a str> {
    let (run, rootfs): (&[&str], &[&str]) = match bench.stage {
        ..8 => (&[], &[]),
        8 => (&["run"], &[]),
        _ => (&["run"], &["--rootfs", "/"]),
    };
    [run, options, rootfs].concat()
}
