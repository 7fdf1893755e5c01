// ANCHOR: group
//! What is a cgroup? A folder whose files are knobs, and whose `cgroup.procs` says who is in it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use lab::{debug, info};
use nix::unistd::Pid;

use crate::hierarchy::Version;

/// What the name of every container's group begins with; its creator's pid and start time follow.
const PREFIX: &str = "container-";

/// A group that this process made. Removed when it is dropped.
#[derive(Debug)]
pub struct Group {
    /// The interface of its hierarchy.
    pub version: Version,
    folder: PathBuf,
}

impl Group {
    /// Makes a group for a container in the group `base`, after clearing away those that
    /// a killed runtime left there.
    ///
    /// # Errors
    ///
    /// EACCES if `base` is not ours, EROFS in a container.
    pub fn create(version: Version, base: &Path) -> anyhow::Result<Group> {
        clear_stale(base);
        let folder = base.join(maker_name()?);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {} // several subsystems, one hierarchy
            other => other.with_context(|| format!("make the cgroup {}", folder.display()))?,
        }
        Ok(Group { version, folder })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether it has a knob of this name.
    pub fn has(&self, knob: &str) -> bool {
        self.folder.join(knob).exists()
    }

    /// Sets a knob.
    ///
    /// # Errors
    ///
    /// The kernel refuses the value, or there is no such knob.
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
    /// ESRCH if it has ended, EACCES if it is somebody else's.
    pub fn add(&self, pid: Pid) -> anyhow::Result<()> {
        join(&self.folder, pid)
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
    info!("moved {pid} into {}", folder.file_name().unwrap_or_default().display());
    Ok(())
}

impl Drop for Group {
    fn drop(&mut self) {
        match remove(&self.folder) {
            Ok(()) => debug!("removed {}", self.folder.display()),
            // The next run clears it: see `clear_stale`.
            Err(error) => lab::warn!("remove {}: {error}", self.folder.display()),
        }
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes the groups in `base` whose creator has ended. One with a process in it stays:
/// the kernel refuses to remove it (EBUSY).
fn clear_stale(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(maker_is_gone) && remove(&entry.path()).is_ok() {
            info!("removed {}, whose creator was killed", entry.path().display());
        }
    }
}

/// A name for what this process makes, by which a later one can tell whether it is left over:
/// `container-PID-START`.
///
/// # Errors
///
/// /proc is not this PID namespace's.
pub fn maker_name() -> anyhow::Result<String> {
    lab::why::own_proc()?;
    let pid = Pid::this();
    let start = start_time(pid).context("read one's own start time from /proc/PID/stat")?;
    Ok(format!("{PREFIX}{pid}-{start}"))
}

/// Whether this is such a name, and the process that made it has ended.
pub fn maker_is_gone(name: &str) -> bool {
    creator(name).is_some_and(|(pid, start)| start_time(pid) != Some(start))
}

/// Whether a folder's name is that of a container's group.
pub fn is_container(name: &str) -> bool {
    creator(name).is_some()
}

/// `container-4242-67890` → the pid 4242 and the start time 67890 of whoever made it.
fn creator(name: &str) -> Option<(Pid, u64)> {
    let (pid, start) = name.strip_prefix(PREFIX)?.split_once('-')?;
    Some((Pid::from_raw(pid.parse().ok()?), start.parse().ok()?))
}

/// When a process started, in clock ticks since boot (field 22 of proc_pid_stat(5)): with
/// its pid, a name that no later process gets. `None` if there is no such process,
/// or if it has ended and only nobody has waited for it yet.
pub fn start_time(pid: Pid) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(") ")?; // the name may have spaces and brackets
    let mut fields = after_name.split(' ');
    let has_ended = matches!(fields.next()?, "Z" | "X"); // a zombie makes nothing any more
    if has_ended {
        None
    } else {
        fields.nth(18)?.parse().ok()
    }
}
// ANCHOR_END: group

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_groups_name_says_who_made_it() {
        assert_eq!(creator("container-4242-67890"), Some((Pid::from_raw(4242), 67890)));
        for other in
            ["container-runtime", "container-4242", "container-a-1", "system.slice", "4242-67890"]
        {
            assert_eq!(creator(other), None, "{other}");
        }
    }

    #[test]
    fn this_process_has_started_and_a_pid_that_is_free_has_not() {
        assert!(start_time(Pid::this()).is_some());
        assert_eq!(start_time(Pid::from_raw(i32::MAX)), None);
    }
}
