// ANCHOR: group
//! What is a group? A folder whose files are knobs, and whose `cgroup.procs` says who is in it.

use std::{
    fs::{self, DirEntry},
    io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context, anyhow};
use ch06_reexec::random_name;
use lab::{
    debug, info,
    lock::{self, Lock},
    tree, warn,
};
use nix::unistd::Pid;

use crate::{
    base::{Base, has_processes, is_container},
    hierarchy::Version,
};

/// A group that this process made. Removed when it is dropped.
///
/// The maker holds a lock on the folder (flock(2)). The kernel releases it when the maker ends,
/// even by SIGKILL. So the next run can tell a group that was left over from one in use, in
/// whatever PID namespaces the two runs are.
#[derive(Debug)]
pub struct Group {
    /// The interface of its hierarchy.
    pub version: Version,
    folder: PathBuf,
    _lock: Lock,
}

impl Group {
    /// Makes a group for a container in the group `base`. First removes the groups that killed
    /// runtimes left there.
    ///
    /// # Errors
    ///
    /// EACCES: `base` is another user's. EROFS: in a container.
    pub fn create(version: Version, base: &Base) -> anyhow::Result<Group> {
        clear_left_over(base.folder());
        let folder = base.folder().join(random_name()?);
        fs::create_dir(&folder).with_context(|| format!("make the cgroup {}", folder.display()))?;
        let lock = lock::try_exclusive(&folder)?
            .with_context(|| format!("another process has locked {}", folder.display()))?;
        debug!("made the cgroup {}", folder.display());
        Ok(Group {
            version,
            folder,
            _lock: lock,
        })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether it has this knob.
    pub fn has(&self, knob: &str) -> bool {
        self.folder.join(knob).exists()
    }

    /// Writes a knob.
    ///
    /// # Errors
    ///
    /// The kernel refuses the value.
    pub fn set(&self, knob: &str, value: &str) -> anyhow::Result<()> {
        let file = self.folder.join(knob);
        fs::write(&file, value)
            .map_err(|error| anyhow!("write {value:?} to {}: {error}", file.display()))
    }

    /// Reads a knob, without the newline at its end.
    ///
    /// # Errors
    ///
    /// There is no such knob.
    pub fn get(&self, knob: &str) -> anyhow::Result<String> {
        let file = self.folder.join(knob);
        let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        Ok(text.trim_end().to_owned())
    }

    /// Moves a process into the group; the children that it has from then on are in it too.
    ///
    /// # Errors
    ///
    /// ESRCH: it has ended. EACCES: the common group above both groups is another user's.
    pub fn add(&self, pid: Pid) -> anyhow::Result<()> {
        join(&self.folder, pid)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        match remove(&self.folder) {
            Ok(()) => debug!("removed {}", self.folder.display()),
            Err(error) => warn!("a cgroup stays until the next run removes it: {error:#}"),
        }
    }
}

/// Moves a process into the group with this folder.
///
/// # Errors
///
/// As [`Group::add`].
pub fn join(folder: &Path, pid: Pid) -> anyhow::Result<()> {
    let file = folder.join("cgroup.procs");
    fs::write(&file, pid.to_string())
        .with_context(|| format!("write {pid} to {}", file.display()))?;
    debug!("moved {pid} into {}", folder.file_name().unwrap_or_default().display());
    Ok(())
}
// ANCHOR_END: group

// ANCHOR: left-over
/// Removes the groups in `base` whose makers have ended. One with a process in it stays.
pub fn clear_left_over(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let folder = entry.path();
        let is_ours = entry.file_name().to_str().is_some_and(is_container);
        if is_ours
            && matches!(lock::try_exclusive(&folder), Ok(Some(_)))
            && !is_populated(&folder)
            && remove(&folder).is_ok()
        {
            info!("removed {}, left by a killed runtime", folder.display());
        }
    }
}

/// Removes a group, and first the groups that the container has made below it. For a moment after
/// the last process has ended, the kernel may still refuse (EBUSY).
fn remove(folder: &Path) -> anyhow::Result<()> {
    for _ in 0..50 {
        match tree::remove(folder, true) {
            Err(_) if !folder.exists() => return Ok(()),
            Err(error) if is_busy(&error) && !is_populated(folder) => {
                thread::sleep(Duration::from_millis(1));
            }
            other => return other,
        }
    }
    tree::remove(folder, true)
}

fn is_busy(error: &anyhow::Error) -> bool {
    let by_std = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
    let by_call = error.downcast_ref::<rustix::io::Errno>().map(|errno| errno.raw_os_error());
    by_std.or(by_call) == Some(libc::EBUSY)
}

/// Whether there is a process in the group, or in one below it.
fn is_populated(folder: &Path) -> bool {
    let is_group = |entry: &DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let mut below = fs::read_dir(folder).into_iter().flatten().flatten().filter(is_group);
    has_processes(folder) || below.any(|group| is_populated(&group.path()))
}
// ANCHOR_END: left-over
