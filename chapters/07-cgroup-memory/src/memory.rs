// ANCHOR: memory
//! How is memory limited, and what did the limit do?
//!
//! Sources: Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files", and
//! cgroup-v1/memory.rst.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

use crate::{Size, group::Group, hierarchy::Version};

/// The knob with the limit.
pub(crate) fn knob(group: &Group) -> &'static str {
    match group.version {
        Version::V2 => "memory.max",
        Version::V1 => "memory.limit_in_bytes",
    }
}

/// Limits memory to `most`, and swap to none.
///
/// # Errors
///
/// The kernel refuses the limit, or cannot limit swap on a machine that has some.
pub fn limit(group: &Group, most: Size) -> anyhow::Result<()> {
    // ANCHOR: exercise-limit
    let most = most.to_string();
    group.set(knob(group), &most)?;
    // Without this, the kernel swaps a process with too much memory out instead of killing it.
    // Version 2 counts swap alone; version 1 counts memory and swap together.
    let (knob, value) = match group.version {
        Version::V2 => ("memory.swap.max", "0"),
        Version::V1 => ("memory.memsw.limit_in_bytes", most.as_str()),
    };
    if group.has(knob) {
        return group.set(knob, value);
    }
    // ANCHOR_END: exercise-limit
    ensure!(
        !machine_swaps()?,
        "this kernel cannot limit swap: boot it with swapaccount=1, or `swapoff -a`"
    );
    Ok(())
}

/// Whether the machine has swap: /proc/swaps is a heading and a line for each swap area.
fn machine_swaps() -> anyhow::Result<bool> {
    Ok(fs::read_to_string("/proc/swaps").context("read /proc/swaps")?.lines().count() > 1)
}

/// What a memory limit did, as the kernel counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryReport {
    /// The limit, in bytes; `None` where the container has lifted it.
    pub limit: Option<u64>,
    /// The most that was in use at once, in bytes; unknown on version 2 before Linux 5.19.
    pub peak: Option<u64>,
    /// How many processes of the group an OOM killer ended.
    pub oom_kills: u64,
}

impl MemoryReport {
    /// Reads it from a group whose memory is limited.
    ///
    /// # Errors
    ///
    /// A knob cannot be read.
    pub fn read(group: &Group) -> anyhow::Result<MemoryReport> {
        let peak = match group.version {
            Version::V2 => "memory.peak",
            Version::V1 => "memory.max_usage_in_bytes",
        };
        let number = |knob: &str, text: &str| {
            text.parse().with_context(|| format!("{knob} is {text:?}, and no number"))
        };
        let mut oom_kills = 0;
        for file in events_of(group.folder(), group.version)? {
            let text =
                fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
            let kills = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
            let kills = kills.with_context(|| format!("{} has no oom_kill", file.display()))?;
            oom_kills += number("oom_kill", kills)?;
        }
        Ok(MemoryReport {
            limit: group.get(knob(group))?.parse().ok(), // `max` on version 2: no limit
            peak: if group.has(peak) {
                Some(number(peak, &group.get(peak)?)?)
            } else {
                None
            },
            oom_kills,
        })
    }
}

/// The files with the counts of OOM kills. On version 1 a group counts its own processes only, and
/// a container may have made groups below its own.
fn events_of(group: &Path, version: Version) -> anyhow::Result<Vec<PathBuf>> {
    if version == Version::V2 {
        return Ok(vec![group.join("memory.events")]);
    }
    let mut files = vec![group.join("memory.oom_control")];
    for entry in fs::read_dir(group).with_context(|| format!("read {}", group.display()))? {
        let entry = entry.context("read a group")?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files.extend(events_of(&entry.path(), version)?);
        }
    }
    Ok(files)
}
// ANCHOR_END: memory
