// ANCHOR: memory
//! How is memory limited, and what did the limit do?
//!
//! Sources: Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files", and
//! cgroup-v1/memory.rst.

use std::fs;

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
        let (peak, events) = match group.version {
            Version::V2 => ("memory.peak", "memory.events"),
            Version::V1 => ("memory.max_usage_in_bytes", "memory.oom_control"),
        };
        let number = |knob: &str, text: &str| {
            text.parse().with_context(|| format!("{knob} is {text:?}, and no number"))
        };
        let kills = group.get(events)?;
        let kills = kills.lines().find_map(|line| line.strip_prefix("oom_kill "));
        let kills = kills.with_context(|| format!("{events} has no line oom_kill"))?;
        Ok(MemoryReport {
            limit: group.get(knob(group))?.parse().ok(), // `max` on version 2: no limit
            peak: if group.has(peak) {
                Some(number(peak, &group.get(peak)?)?)
            } else {
                None
            },
            oom_kills: number(events, kills)?,
        })
    }
}
// ANCHOR_END: memory
