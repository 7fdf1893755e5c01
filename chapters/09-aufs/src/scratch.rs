// ANCHOR: scratch
//! What does a run need beside its container layer, and how can the next run tell what a killed run
//! left there from what is yours?
//!
//! Overlay needs an empty folder on the container layer's file system, but not in the layer. A run
//! makes `.NAME.run-DIGITS` beside the layer NAME, and notes in it which process is the
//! container's. The next run that has the lock of NAME removes such a folder if that process has
//! ended.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use ch06_reexec::{NAME_PREFIX, random_name};
use ch07_cgroup_memory::base::is_container;
use lab::{tree, warn};
use nix::unistd::Pid;

/// The folder of one run, beside its container layer; removed when this is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one beside `layer`, of which this process has the lock.
    pub(crate) fn new(layer: &Path) -> anyhow::Result<Scratch> {
        let mut name = prefix(layer)?;
        name.push(random_name()?.trim_start_matches(NAME_PREFIX));
        let folder = layer.with_file_name(name);
        fs::create_dir(&folder)
            .with_context(|| format!("make {}, which overlay needs", folder.display()))?;
        Ok(Scratch(folder))
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// Notes to which process it belongs, which has not been waited for.
    pub(crate) fn belongs_to(&self, container: Pid) -> anyhow::Result<()> {
        let text = identity(container.as_raw()).context("read the container's start time")?;
        let file = self.0.join("owner");
        fs::write(&file, text).with_context(|| format!("write {}", file.display()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Removes what killed runs left beside `layer`, of which this process has the lock.
///
/// # Errors
///
/// A container still has the layer, whose runtime was killed; or nobody can tell.
pub(crate) fn clear_left_over(layer: &Path) -> anyhow::Result<()> {
    let prefix = prefix(layer)?;
    let beside = layer.parent().context("a layer is not /")?;
    let entries = fs::read_dir(beside).with_context(|| format!("read {}", beside.display()))?;
    for entry in entries.flatten() {
        let (name, folder) = (entry.file_name(), entry.path());
        let digits = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let is_ours = digits.is_some_and(|digits| is_container(&[NAME_PREFIX, digits].concat()));
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if let Some(pid) = owner(&folder) {
                bail!(
                    "container layer {}: process {pid} still uses it, a container whose runtime \
                     was killed: end that process first",
                    layer.display()
                );
            }
            remove(&folder);
        }
    }
    Ok(())
}

/// The process to which a run's folder belongs, if it lives.
fn owner(folder: &Path) -> Option<i32> {
    let noted = fs::read_to_string(folder.join("owner")).ok()?;
    let pid = noted.split(' ').next()?.parse().ok()?;
    (identity(pid)? == noted).then_some(pid)
}

/// `.NAME.run-`.
fn prefix(layer: &Path) -> anyhow::Result<OsString> {
    let name = layer
        .file_name()
        .with_context(|| format!("container layer {}: it has no name", layer.display()))?;
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".run-");
    Ok(prefix)
}

/// `PID START`: the start time tells it from a later process with its pid.
fn identity(pid: i32) -> Option<String> {
    start_time(pid).map(|start| format!("{pid} {start}"))
}

/// When the process with this pid started, in clock ticks after the boot: field 22 of
/// /proc/PID/stat. `None` if there is none, or if it has ended and was not waited for.
pub fn start_time(pid: i32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    started(&String::from_utf8_lossy(&stat))
}

fn started(stat: &str) -> Option<u64> {
    // The second field is the program's name, in parentheses, and may have any byte in it.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let has_ended = ["Z", "X"].contains(fields.first()?);
    fields.get(19).filter(|_| !has_ended)?.parse().ok()
}

/// Removes a folder of ours with all that is in it.
pub(crate) fn remove(folder: &Path) {
    match tree::remove(folder, false) {
        Err(error) if folder.symlink_metadata().is_ok() => {
            warn!("{error:#}");
        }
        _ => {}
    }
}
// ANCHOR_END: scratch

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests;
