//! Chapter 9: one of the runtime's processes is killed.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};

use crate::{
    Bench, Outcome, User,
    bench::{Run, Running},
    checks::{Check, holds},
    delegation::Delegation,
    host::nobody_stays,
    layered::{script, stacked, with_inside},
    named::entries,
    patience,
    process::{children_of, killed, wait_for_end},
    repetitions,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        9,
        "whichever one of its processes is killed, nothing of the container survives",
        "the kernel forgets the parent-death signal of a process that changes its ids, so do not \
         rely on it: parent and keeper each need a pidfd of the container, and each must notice \
         the other's end",
        |bench| {
            let delegation = Delegation::to(bench, &["memory"])?;
            let victims = [("the parent", 137), ("the keeper", 125), ("the container", 137)];
            for (index, (victim, status)) in victims.into_iter().enumerate() {
                let mut running = forgetful(bench, delegation.as_ref(), &[])?.start()?;
                running.until("up\n")?;
                kill(running.processes()?[index], Signal::SIGKILL)?;
                left_nothing(bench, running, &[status])
                    .with_context(|| format!("{victim} was killed"))?;
            }
            holds()
        },
    ),
    Check::new(
        9,
        "one of its processes killed at any moment leaves nothing",
        "what one process makes, another must be able to remove, from the moment it exists",
        |bench| {
            let delegation = Delegation::to(bench, &["memory"])?;
            let moments = repetitions(42);
            for moment in 0..moments {
                let running = forgetful(bench, delegation.as_ref(), &["--rm"])?.start()?;
                let at = LAST_MOMENT * u64::from(moment) / u64::from(moments);
                sleep(patience(Duration::from_micros(at)));
                let victim = some_process(running.pid(), moment as usize % 3);
                // It may have gone meanwhile, and then nobody has its pid yet.
                let _ = kill(victim, Signal::SIGKILL);
                // A helper that had done its work is missed by nobody: then the container runs.
                if !wait_for_end(running.pid(), patience(Duration::from_secs(1)))? {
                    let _ = kill(some_process(running.pid(), 2), Signal::SIGKILL);
                }
                left_nothing(bench, running, &[137, 125])
                    .with_context(|| format!("process {} was killed after {at} µs", moment % 3))?;
            }
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        9,
        "a container layer is not handed out while a container has it, whatever became of its run",
        "a lock ends with the processes that hold it, and the container may live on: check also \
         whether the process lives to which the layer belongs",
        |bench| {
            let with = ["-q", "--container-layer", "mine"];
            let tools = [with_inside(bench)?];
            let mut running = stacked(bench, &with, &tools, "exec /inside forget")?.start()?;
            running.until("up\n")?;
            let container = running.command()?;
            running.kill_runtime()?;
            running.finish()?.must_end_with(137)?;
            let refused = stacked(bench, &with, &[], "true")?.finish()?;
            kill(container, Signal::SIGKILL).context("the container has ended with its run")?;
            killed(container, patience(bench.bound))?;
            nobody_stays()?;
            refused.must_end_with(125)?.must_complain(&["mine", &container.to_string()])?;
            let next = stacked(bench, &with, &[], "true")?.start()?;
            left_nothing(bench, next, &[0])?;
            holds()
        },
    ),
    Check::new(
        9,
        "a container layer is refused where nobody can look for a container that has it",
        "an answer that you did not get is not a no: if the folder cannot be read, fail",
        |bench| {
            if !geteuid().is_root() {
                return Ok(Outcome::Skipped("only root can make a folder like it".into()));
            }
            // You may make a folder in it, and go into that, but you see no names.
            let folder = bench.folder("drop-box")?;
            chown(&folder, Some(0), Some(0))?;
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o733))?;
            let run = script(bench, &["--container-layer", "drop-box/mine"], "echo ran");
            run.finish()?.must_end_with(125)?.must_complain(&["drop-box"])?.must_write("")?;
            holds()
        },
    )
    .only_as(User::Ordinary),
];

/// When a stage has started its command, on a usual machine; in microseconds.
const LAST_MOMENT: u64 = 25_000;

/// A run that makes all that a run of the stage can leave behind, of a command whose parent-death
/// signal the kernel has forgotten.
fn forgetful<'a>(
    bench: &'a Bench,
    delegation: Option<&Delegation>,
    options: &[&str],
) -> anyhow::Result<Run<'a>> {
    let limit: &[&str] = if delegation.is_some() {
        &["-m", "64m"]
    } else {
        &[]
    };
    let name: &[&str] = if bench.stage >= 10 {
        &["--name", "victim"]
    } else {
        &[]
    };
    let options = [&["-q", "--container-layer", "mine"], options, limit, name].concat();
    let run = stacked(bench, &options, &[with_inside(bench)?], "exec /inside forget")?;
    let run = run.env("XDG_RUNTIME_DIR", bench.temporary());
    Ok(match delegation {
        Some(delegation) => delegation.put(run),
        None => run,
    })
}

/// Parent, keeper or container; the last one that there is by now.
fn some_process(parent: Pid, which: usize) -> Pid {
    (0..which).fold(parent, |pid, _| {
        let children = children_of(pid).unwrap_or_default();
        children.first().copied().unwrap_or(pid)
    })
}

/// The run ends with one of these, none of its processes stays, no entry, and no folder beside the
/// container layer. (Cgroups are looked for after each check.)
fn left_nothing(bench: &Bench, running: Running, statuses: &[i32]) -> anyhow::Result<()> {
    let ended = running.finish()?;
    let status = ended.status();
    let said = &ended.errors;
    ensure!(statuses.contains(&status), "its exit status is {status}; it said {said}");
    nobody_stays()?;
    ensure!(!entries(bench).exists(), "the entry is left; it said {said}");
    for entry in fs::read_dir(&bench.folder)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_left = name.starts_with(".mine");
        ensure!(!is_left, "{name} is left beside the container layer; it said {said}");
    }
    Ok(())
}
