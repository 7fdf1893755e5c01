//! In which group may a container's group be made?
//!
//! On v1: in one's own. On v2 two rules stand in the way. A group has the knobs of a
//! subsystem only if its parent has switched the subsystem on for its children
//! (`cgroup.subtree_control`); and a group that has done so holds no processes itself
//! (the no-internal-process rule; the root is exempt). So:
//!
//! - whoever may write the root of the hierarchy (root) uses that, as runtimes do;
//! - anybody else needs a group that was delegated, and whose only processes are one's
//!   own. They move down into a leaf, the subsystems are switched on above them, and the
//!   container's group is made beside the leaf. The last container undoes it.
//!
//! Source: cgroups(7), "Delegation"; cgroup-v2.rst, "No Internal Process Constraint".

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail, ensure};
use ch05_user_idmap::is_root_outside;
use lab::{debug, info, warn};
use nix::{
    fcntl::{Flock, FlockArg},
    unistd::{AccessFlags, access},
};

use crate::{
    group::is_container,
    hierarchy::{Hierarchy, Version},
};

/// The leaf into which the processes of a delegated group move.
pub const LEAF: &str = "container-runtime";

/// A group in which containers' groups can be made. What was prepared is undone on drop.
#[derive(Debug)]
pub struct Base {
    folder: PathBuf,
    switched_on: Vec<&'static str>,
}

impl Base {
    /// Prepares a group of this hierarchy for children with these subsystems.
    ///
    /// # Errors
    ///
    /// An ordinary user has no delegated group: the error says how to get one.
    pub fn prepare(hierarchy: &Hierarchy, subsystems: &[&'static str]) -> anyhow::Result<Base> {
        let own = &hierarchy.own_group;
        if hierarchy.version == Version::V1 {
            may_write(own, hierarchy.version)?;
            return Ok(Base {
                folder: own.clone(),
                switched_on: Vec::new(),
            });
        }
        let in_leaf = own.file_name().is_some_and(|name| name == LEAF);
        let folder = match own.parent() {
            _ if may_write(&hierarchy.mount_point, hierarchy.version).is_ok() => {
                hierarchy.mount_point.clone()
            }
            Some(parent) if in_leaf => parent.to_owned(),
            _ => own.clone(),
        };
        may_write(&folder, hierarchy.version)?;
        let _lock = lock(&folder)?;
        let mut base = Base {
            folder,
            switched_on: Vec::new(),
        };
        base.switch_on(subsystems)?;
        Ok(base)
    }

    /// The group's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn switch_on(&mut self, subsystems: &[&'static str]) -> anyhow::Result<()> {
        let can = words(&self.folder.join("cgroup.controllers"))?;
        let has = words(&self.folder.join("cgroup.subtree_control"))?;
        for subsystem in subsystems {
            ensure!(
                can.iter().any(|name| name == subsystem),
                "the group {} has no {subsystem}, only {can:?}: {}",
                self.folder.display(),
                way_out(Version::V2)
            );
        }
        let missing: Vec<&str> = subsystems
            .iter()
            .copied()
            .filter(|name| !has.iter().any(|on| on == name))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        if self.folder.join("cgroup.type").exists() {
            // It is not the hierarchy's root, which alone has no type.
            move_all(&self.folder, &self.folder.join(LEAF))?;
        }
        for subsystem in missing {
            write(&self.folder.join("cgroup.subtree_control"), &format!("+{subsystem}"))?;
            info!("switched {subsystem} on for the children of {}", self.folder.display());
            self.switched_on.extend(subsystems.iter().find(|name| **name == subsystem));
        }
        Ok(())
    }

    fn undo(&self) -> anyhow::Result<()> {
        let leaf = self.folder.join(LEAF);
        let in_use = |name: &std::ffi::OsStr| name.to_str().is_some_and(is_container);
        let _lock = lock(&self.folder)?;
        if fs::read_dir(&self.folder)?.flatten().any(|entry| in_use(&entry.file_name())) {
            return Ok(()); // another container's: the last one undoes it
        }
        let control = self.folder.join("cgroup.subtree_control");
        if !leaf.exists() {
            return self
                .switched_on
                .iter()
                .try_for_each(|name| write(&control, &format!("-{name}")));
        }
        for subsystem in words(&control)? {
            write(&control, &format!("-{subsystem}"))?;
        }
        move_all(&leaf, &self.folder)?;
        fs::remove_dir(&leaf).with_context(|| format!("remove {}", leaf.display()))
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        // On v1 nothing was prepared.
        if self.switched_on.is_empty() && !self.folder.join(LEAF).exists() {
            return;
        }
        if let Err(error) = self.undo() {
            warn!("{error:#}");
        }
    }
}

/// The way to a group of one's own.
fn way_out(version: Version) -> &'static str {
    match (version, is_root_outside()) {
        (Version::V2, false) => {
            "start this from a delegated group: `systemd-run --user --scope -p Delegate=yes \
             COMMAND`"
        }
        (Version::V2, true) => {
            "start this from a delegated group: `systemd-run --scope -p Delegate=yes COMMAND`"
        }
        (Version::V1, _) => "on cgroup v1 only root can give a group away: run this as root",
    }
}

fn may_write(folder: &Path, version: Version) -> anyhow::Result<()> {
    let refused = |what: &Path, reason: &dyn std::fmt::Display| {
        anyhow!("{reason}: {} is not ours to write: {}", what.display(), way_out(version))
    };
    let procs = folder.join("cgroup.procs");
    for place in [folder, &procs] {
        access(place, AccessFlags::W_OK).map_err(|errno| refused(place, &errno.desc()))?;
    }
    Ok(())
}

/// One process at a time prepares or undoes (flock(2) on the folder).
fn lock(folder: &Path) -> anyhow::Result<Flock<File>> {
    let file = File::open(folder).with_context(|| format!("open {}", folder.display()))?;
    Flock::lock(file, FlockArg::LockExclusive)
        .map_err(|(_, errno)| anyhow!("lock {}: {}", folder.display(), errno.desc()))
}

/// Moves every process of one group into another, which is made if it is not there.
fn move_all(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("make the cgroup {}", to.display()))?;
    let own = fs::metadata("/proc/self").context("stat /proc/self")?.uid();
    // A process that is moved may just have forked: look again until nobody is left.
    for _ in 0..100 {
        let pids = words(&from.join("cgroup.procs"))?;
        if pids.is_empty() {
            debug!("{} is empty now", from.display());
            return Ok(());
        }
        for pid in pids {
            let Ok(process) = fs::metadata(format!("/proc/{pid}")) else {
                continue;
            };
            ensure!(process.uid() == own, "process {pid} in {} is somebody else's", from.display());
            write(&to.join("cgroup.procs"), &pid)?;
        }
    }
    bail!("the group {} never gets empty", from.display())
}

fn words(file: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

fn write(file: &Path, value: &str) -> anyhow::Result<()> {
    fs::write(file, value).with_context(|| format!("write {value:?} to {}", file.display()))
}
