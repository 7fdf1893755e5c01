// ANCHOR: limits
//! Why can root inside not raise the container's limits?
//!
//! A cgroup namespace makes a process's own group the root of all that it sees: a cgroup file
//! system that is mounted inside begins there. But the knobs of that group are in it too, and where
//! an ordinary user has a delegated group, they belong to root inside. So the container's process
//! is one group below the limits.
//!
//! Source: cgroup_namespaces(7), the kernel's cgroup-v2.rst "Delegation".

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::Context;
use ch07_cgroup_memory::{Groups, group::join};
use nix::unistd::Pid;

/// The name of the group below the limits.
const INNER: &str = "inner";

/// The keeper: moves the container's process, which is in these groups and waits at its gate, into
/// a group below each of them.
///
/// # Errors
///
/// The kernel refuses it.
pub fn go_below_the_limits(groups: &Groups, pid: Pid) -> anyhow::Result<()> {
    groups.folders().try_for_each(|limited| join(&make(limited)?, pid))
}

fn make(limited: &Path) -> anyhow::Result<PathBuf> {
    // On version 1 up to Linux 5.10 a limit does not hold for the groups below by itself.
    set(limited, "memory.use_hierarchy", "1")?;
    let inner = limited.join(INNER);
    fs::create_dir(&inner).with_context(|| format!("make the cgroup {}", inner.display()))?;
    // On version 1 a new group has no processors and no memory nodes, and takes no process.
    for knob in ["cpuset.cpus", "cpuset.mems"] {
        if let Some(value) = get(limited, knob)? {
            set(&inner, knob, &value)?;
        }
    }
    Ok(inner)
}

/// What a knob says; `None` if the group does not have it.
fn get(group: &Path, knob: &str) -> anyhow::Result<Option<String>> {
    let file = group.join(knob);
    match fs::read_to_string(&file) {
        Ok(text) => Ok(Some(text.trim_end().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read {}", file.display())),
    }
}

/// Writes a knob, if the group has it with another value.
fn set(group: &Path, knob: &str, value: &str) -> anyhow::Result<()> {
    if get(group, knob)?.is_none_or(|has| has == value) {
        return Ok(());
    }
    let file = group.join(knob);
    fs::write(&file, value).with_context(|| format!("write {value} to {}", file.display()))
}
// ANCHOR_END: limits
