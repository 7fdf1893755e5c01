// ANCHOR: memory
//! How is memory limited, and what did the limit do?
//!
//! Sources: cgroup-v2.rst, "Memory Interface Files"; Documentation/admin-guide/cgroup-v1/memory.rst.

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

/// Sets the limit: so much memory, and no swap.
///
/// # Errors
///
/// The kernel refuses it, or cannot limit swap on a machine that has some.
pub fn limit(group: &Group, most: Size) -> anyhow::Result<()> {
    // ANCHOR: exercise-limit
    let most = most.to_string();
    group.set(knob(group), &most)?;
    // Without this, a process with too much memory is not killed but swapped out, and slow.
    // Version 2 counts swap alone; version 1 counts memory and swap together.
    let (knob, value) = match group.version {
        Version::V2 => ("memory.swap.max", "0"),
        Version::V1 => ("memory.memsw.limit_in_bytes", most.as_str()),
    };
    if group.has(knob) {
        return group.set(knob, value);
    }
    ensure!(
        !machine_swaps()?,
        "this kernel cannot limit swap (no {knob}): boot it with swapaccount=1, or `swapoff -a`"
    );
    Ok(())
    // ANCHOR_END: exercise-limit
}

/// Whether the machine has swap at all: /proc/swaps is a heading and a line for each.
fn machine_swaps() -> anyhow::Result<bool> {
    Ok(fs::read_to_string("/proc/swaps").context("read /proc/swaps")?.lines().count() > 1)
}

/// What a memory limit did, in the kernel's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryReport {
    /// The limit, in bytes; `None` where the container has lifted it.
    pub limit: Option<u64>,
    /// The most that was in use at once, in bytes; unknown on version 2 before Linux 5.19.
    pub peak: Option<u64>,
    /// How many processes the kernel killed because of the limit.
    pub oom_kills: u64,
}

impl MemoryReport {
    /// Reads it from a group whose memory is limited.
    ///
    /// # Errors
    ///
    /// A knob is not there.
    pub fn read(group: &Group) -> anyhow::Result<MemoryReport> {
        let (peak, events) = match group.version {
            Version::V2 => ("memory.peak", "memory.events"),
            Version::V1 => ("memory.max_usage_in_bytes", "memory.oom_control"),
        };
        let number = |text: &str| text.parse().with_context(|| format!("{text:?} is no number"));
        let kills = group.get(events)?;
        let kills = kills.lines().find_map(|line| line.strip_prefix("oom_kill "));
        Ok(MemoryReport {
            limit: group.get(knob(group))?.parse().ok(), // version 2 says `max` for none
            peak: if group.has(peak) {
                Some(number(&group.get(peak)?)?)
            } else {
                None
            },
            oom_kills: number(kills.context("no line oom_kill")?)?,
        })
    }
}
// ANCHOR_END: memory
