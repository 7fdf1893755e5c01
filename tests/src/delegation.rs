//! How does an ordinary user get a cgroup for a test?

use std::{
    fs,
    io::Write,
    os::unix::{fs::chown, process::CommandExt},
    path::PathBuf,
    process,
    sync::atomic::{AtomicU32, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::Context;
use nix::unistd::geteuid;

use crate::{Bench, Outcome, User, bench::Run, cgroups, patience};

/// The leaf into which a stage moves the processes of a delegated group.
const LEAF: &str = "container-runtime";

/// Why there is none.
const NOTHING: &str = "an ordinary user can limit only in a cgroup that was delegated, and this \
                       process is in none: `make test` as root delegates one";

/// Each group's name has a number of its own.
static COUNTER: AtomicU32 = AtomicU32::new(0);

/// What the names of all groups begin with that a judge gives away.
const PREFIX: &str = "judge-delegates-";

/// Likewise, that this judge gives away.
fn own_prefix() -> String {
    format!("{PREFIX}{}-", process::id())
}

/// Whether a group's name says that some judge gave it away.
pub fn is_delegated(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Removes what a check that has failed leaves: the groups that this judge has given away, and the
/// stage's below them. Their processes were killed, and may end a moment later.
pub fn clear(judge: u32) {
    let prefix = format!("{PREFIX}{judge}-");
    let is_its = |group: &PathBuf| {
        group
            .iter()
            .any(|name| name.to_str().is_some_and(|name| name.starts_with(&prefix)))
    };
    let start = Instant::now();
    loop {
        // The groups below come after the one above: from the end.
        let groups = cgroups::all().unwrap_or_default().into_keys().filter(is_its).rev();
        let left: Vec<PathBuf> = groups.filter(|group| fs::remove_dir(group).is_err()).collect();
        match left.last() {
            None => return,
            Some(group) if start.elapsed() > patience(Duration::from_secs(5)) => {
                return eprintln!("{} stays: processes are in it", group.display());
            }
            Some(_) => sleep(Duration::from_millis(10)),
        }
    }
}

/// Whether it was this one.
pub fn is_own_delegation(name: &str) -> bool {
    name.starts_with(&own_prefix())
}

/// For an ordinary user: groups that root gives away, and into which the run is put.
pub struct Delegation {
    groups: Vec<PathBuf>,
}

impl Delegation {
    /// As root nothing is needed. `None`: nobody here can give a group away.
    pub fn to(bench: &Bench, subsystems: &[&str]) -> anyhow::Result<Option<Delegation>> {
        let mut delegation = Delegation { groups: Vec::new() };
        if bench.user == User::Root {
            return Ok(Some(delegation));
        }
        if !geteuid().is_root() {
            // Nobody here can give a group away; but this process may be in one that was.
            return Ok(cgroups::is_delegated()?.then_some(delegation));
        }
        for subsystem in subsystems {
            let hierarchy = cgroups::with(subsystem)?;
            let base = match hierarchy.is_v2 {
                true => hierarchy.mount_point.clone(),
                false => hierarchy.group_of("self")?,
            };
            if delegation.groups.iter().any(|group| group.starts_with(&base)) {
                continue;
            }
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let group = base.join(format!("{}{number}", own_prefix()));
            fs::create_dir(&group).with_context(|| format!("make {}", group.display()))?;
            delegation.groups.push(group.clone());
            if *subsystem == "cpuset" && !hierarchy.is_v2 {
                for knob in ["cpuset.cpus", "cpuset.mems"] {
                    fs::write(group.join(knob), fs::read_to_string(base.join(knob))?.trim())?;
                }
            }
            let (uid, gid) = (Some(bench.user.uid()), Some(bench.user.gid()));
            chown(&group, uid, gid)?;
            for file in ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
                if group.join(file).exists() {
                    chown(group.join(file), uid, gid)?;
                }
            }
        }
        Ok(Some(delegation))
    }

    /// Whether an ordinary user's group has this subsystem: on version 2, the one above may have
    /// kept it back.
    fn has(&self, subsystem: &str) -> anyhow::Result<bool> {
        let hierarchy = cgroups::with(subsystem)?;
        if !hierarchy.is_v2 {
            return Ok(true);
        }
        let given = self.groups.iter().find(|group| group.starts_with(&hierarchy.mount_point));
        let mut group = given.cloned().map_or_else(|| hierarchy.group_of("self"), Ok)?;
        if group.ends_with(LEAF) {
            group.pop();
        }
        let file = group.join("cgroup.controllers");
        let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        Ok(text.split_whitespace().any(|controller| controller == subsystem))
    }

    /// Starts the run in the groups; in the leaf of one whose processes a runtime that was
    /// killed has moved there, and where a shell that started it would be now, too.
    pub fn put<'a>(&self, run: Run<'a>) -> Run<'a> {
        let place = |group: &PathBuf| {
            Some(group.join(LEAF)).filter(|leaf| leaf.exists()).unwrap_or(group.clone())
        };
        let files: Vec<PathBuf> =
            self.groups.iter().map(|group| place(group).join("cgroup.procs")).collect();
        run.with(|command| {
            for file in files {
                let mut procs = fs::OpenOptions::new()
                    .write(true)
                    .open(&file)
                    .expect("a group that was just made");
                // `0` is the process that writes.
                // SAFETY: between fork and exec it only writes to an open file.
                unsafe { command.pre_exec(move || procs.write_all(b"0")) };
            }
        })
    }
}

impl Drop for Delegation {
    fn drop(&mut self) {
        for group in &self.groups {
            let _ = fs::remove_dir(group);
        }
    }
}

/// Runs the rest with a delegation for these subsystems, or skips.
pub fn delegated(
    bench: &Bench,
    subsystems: &[&str],
    check: impl FnOnce(&Delegation) -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    let Some(delegation) = Delegation::to(bench, subsystems)? else {
        return Ok(Outcome::Skipped(NOTHING.into()));
    };
    if bench.user != User::Root {
        for subsystem in subsystems {
            if !delegation.has(subsystem)? {
                let reason = format!("the delegated group has no controller {subsystem}");
                return Ok(Outcome::Skipped(reason));
            }
        }
    }
    check(&delegation).map(|()| Outcome::Holds)
}
