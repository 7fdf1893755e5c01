// ANCHOR: base
//! In which group may a container's group be made?
//!
//! On version 1: in the runtime's own group. On version 2 there are two rules. A group has the
//! knobs of a controller only if the group above has switched it on for its children
//! (`cgroup.subtree_control`). And a group that has done so holds no processes itself, except the
//! root of the hierarchy (the no-internal-process rule). So a container's group is made
//!
//! - by root: beside the runtime's own group if the group above has no processes, or at the root
//!   of the hierarchy;
//! - by any other user: in a group that was delegated. Its processes, the runtime among them, move
//!   down into a leaf, the controllers are switched on above them, and the container's group is
//!   made beside the leaf. The last container undoes it.
//!
//! Source: cgroups(7), "Delegation"; cgroup-v2.rst, "No Internal Process Constraint".

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail, ensure};
use ch06_reexec::NAME_PREFIX;
use lab::{
    debug,
    lock::{self, Lock},
    warn,
};
use nix::unistd::{AccessFlags, access, geteuid};

use crate::hierarchy::{Hierarchy, Version};

/// The leaf into which the processes of a delegated group move.
pub const LEAF: &str = "container-runtime";

/// A group in which containers' groups can be made. What was prepared is undone on drop.
#[derive(Debug)]
pub struct Base {
    folder: PathBuf,
    switched_on: Vec<&'static str>,
    /// One run at a time: until the container's group is there, another run could undo this, or
    /// take the group for one that was left over.
    turn: Option<Lock>,
}

impl Base {
    /// Prepares a group of this hierarchy for children with these controllers.
    ///
    /// # Errors
    ///
    /// An ordinary user has no delegated group: the error says how to get one.
    pub fn prepare(hierarchy: &Hierarchy, controllers: &[&'static str]) -> anyhow::Result<Base> {
        let mut base = Base {
            folder: choose(hierarchy, controllers)?,
            switched_on: Vec::new(),
            turn: None,
        };
        base.turn = Some(wait_for_turn(&base.folder)?);
        if hierarchy.version == Version::V2 {
            switch_on(&base.folder, controllers, &mut base.switched_on)?;
        }
        Ok(base)
    }

    /// The container's group has been made: the next run may prepare.
    pub fn ready(&mut self) {
        self.turn = None;
    }

    /// The group's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Whether [`ch06_reexec::random_name`] may have made this name.
pub fn is_container(name: &str) -> bool {
    let digits = name.strip_prefix(NAME_PREFIX).unwrap_or_default();
    digits.len() == 8 && digits.bytes().all(|digit| b"0123456789abcdef".contains(&digit))
}

/// Undoes what was prepared, unless another container still needs it.
impl Drop for Base {
    fn drop(&mut self) {
        // On version 1 nothing was prepared.
        if self.switched_on.is_empty() && !self.folder.join(LEAF).exists() {
            return;
        }
        let turn = match self.turn {
            Some(_) => Ok(None), // this process has it
            None => wait_for_turn(&self.folder).map(Some),
        };
        let undone = turn.and_then(|_turn| undo(&self.folder, &self.switched_on));
        undone.unwrap_or_else(|error| warn!("{error:#}"));
    }
}

/// Locks `cgroup.procs` and not the folder: if this run is in a container, the folder is the
/// container's group, and its maker holds the lock for long.
fn wait_for_turn(folder: &Path) -> anyhow::Result<Lock> {
    lock::wait_for(&folder.join("cgroup.procs"))
}
// ANCHOR_END: base

// ANCHOR: choose
/// The first group that this process may write and that has the controllers for its children.
fn choose(hierarchy: &Hierarchy, controllers: &[&str]) -> anyhow::Result<PathBuf> {
    let own = &hierarchy.group;
    if hierarchy.version == Version::V1 {
        return may_write(own, Version::V1).map(|()| own.clone());
    }
    let mut candidates = Vec::new();
    if own.file_name().is_some_and(|name| name == LEAF) {
        candidates.extend(own.parent());
    } else if is_root_outside() {
        let beside = own.parent().filter(|beside| beside.starts_with(&hierarchy.mount_point));
        candidates.extend(beside.filter(|beside| !has_processes(beside)));
        candidates.push(&hierarchy.mount_point);
    }
    candidates.push(own);
    let mut refused = None;
    for folder in candidates {
        let fits = may_write(folder, Version::V2).and_then(|()| has_all(folder, controllers));
        match fits {
            Ok(()) => return Ok(folder.to_owned()),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.context("there is at least the own group")?)
}

/// Whether there is a process in this very group.
pub(crate) fn has_processes(folder: &Path) -> bool {
    fs::read_to_string(folder.join("cgroup.procs")).is_ok_and(|pids| !pids.is_empty())
}

fn has_all(folder: &Path, controllers: &[&str]) -> anyhow::Result<()> {
    let has = words(&folder.join("cgroup.controllers"))?;
    for controller in controllers {
        ensure!(
            has.iter().any(|name| name == controller),
            "the group {} has no controller {controller}, only {}: {}",
            folder.display(),
            has.join(", "),
            way_out(Version::V2)
        );
    }
    Ok(())
}

fn may_write(folder: &Path, version: Version) -> anyhow::Result<()> {
    for place in [folder, &folder.join("cgroup.procs")] {
        access(place, AccessFlags::W_OK).map_err(|errno| {
            let (place, reason) = (place.display(), errno.desc());
            anyhow!("{reason}: you may not write {place}: {}", way_out(version))
        })?;
    }
    Ok(())
}

/// The inode of the first user namespace in /proc/PID/ns, `PROC_USER_INIT_INO` of the kernel.
const FIRST_USER_NAMESPACE: u64 = 0xEFFF_FFFD;

/// Whether this process is root of the machine, and not only of a user namespace. A map of
/// all ids to themselves does not tell: a container's may be just that.
pub fn is_root_outside() -> bool {
    let inode = fs::metadata("/proc/self/ns/user").map(|namespace| namespace.ino());
    geteuid().is_root() && inode.is_ok_and(|inode| inode == FIRST_USER_NAMESPACE)
}

/// The way to a group in which this user may limit.
fn way_out(version: Version) -> &'static str {
    match (version, is_root_outside()) {
        (Version::V2, false) => {
            "start this from a delegated group: \
             `systemd-run --user --scope -p Delegate=yes COMMAND`"
        }
        (Version::V2, true) => {
            "start this from a delegated group: `systemd-run --scope -p Delegate=yes COMMAND`"
        }
        (Version::V1, _) => {
            "on cgroup v1 only root can give a group away (chown), as chapter 7's example \
             `delegate` does; without a limit, the command runs"
        }
    }
}
// ANCHOR_END: choose

// ANCHOR: move
/// Switches the controllers on for the children of a group, and notes which were off before.
fn switch_on(
    folder: &Path,
    controllers: &[&'static str],
    switched_on: &mut Vec<&'static str>,
) -> anyhow::Result<()> {
    let control = folder.join("cgroup.subtree_control");
    let has = words(&control)?;
    let missing = controllers.iter().filter(|name| !has.iter().any(|on| on == *name));
    let missing: Vec<&'static str> = missing.copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    // Only the root of the hierarchy has no type, and may have processes beside its children.
    if folder.join("cgroup.type").exists() {
        move_all(folder, &folder.join(LEAF))?;
    }
    for controller in missing {
        write(&control, &format!("+{controller}"))?;
        debug!("switched {controller} on for the children of {}", folder.display());
        switched_on.push(controller);
    }
    Ok(())
}

/// Undoes what was prepared, unless another container still needs it. The caller has the turn.
fn undo(folder: &Path, switched_on: &[&str]) -> anyhow::Result<()> {
    let leaf = folder.join(LEAF);
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("read {}", folder.display()))?;
        if entry.file_name().to_str().is_some_and(is_container) {
            return Ok(()); // another container's: the last one undoes it
        }
    }
    let control = folder.join("cgroup.subtree_control");
    if !leaf.exists() {
        return switched_on.iter().try_for_each(|name| write(&control, &format!("-{name}")));
    }
    for controller in words(&control)? {
        write(&control, &format!("-{controller}"))?;
    }
    move_all(&leaf, folder)?;
    fs::remove_dir(&leaf).with_context(|| format!("remove {}", leaf.display()))
}

/// Moves every process of one group into another, which is made if it is not there.
fn move_all(from: &Path, to: &Path) -> anyhow::Result<()> {
    let own = fs::metadata("/proc/self").context("stat /proc/self")?.uid();
    // A process may fork while it is moved: look again until the group is empty.
    for _ in 0..100 {
        let pids = words(&from.join("cgroup.procs"))?;
        if pids.is_empty() {
            return Ok(());
        }
        for pid in pids {
            // So the kernel shows a process that has no pid in this PID namespace.
            ensure!(
                pid != "0",
                "a process of another PID namespace is in {}, and cannot be moved from here",
                from.display()
            );
            let Ok(process) = fs::metadata(format!("/proc/{pid}")) else {
                continue;
            };
            let is_own = process.uid() == own;
            ensure!(
                is_own,
                "process {pid} in {} is another user's, and cannot be moved",
                from.display()
            );
            fs::create_dir_all(to).with_context(|| format!("make the cgroup {}", to.display()))?;
            write(&to.join("cgroup.procs"), &pid)?;
        }
    }
    bail!("the group {} gets new processes faster than they can be moved", from.display())
}

fn words(file: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

fn write(file: &Path, value: &str) -> anyhow::Result<()> {
    fs::write(file, value).with_context(|| format!("write {value:?} to {}", file.display()))
}
// ANCHOR_END: move

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use ch06_reexec::random_name;

    use super::*;

    #[test]
    fn a_containers_name_is_known() {
        assert!(is_container(&random_name().unwrap()));
        for other in ["container-runtime", "container-4242", "container-", "container-ABCDEF01"] {
            assert!(!is_container(other), "{other}");
        }
    }
}
