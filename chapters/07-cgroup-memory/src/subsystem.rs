// ANCHOR: all
//! How does one subsystem take its limit, on either version of the interface?
//!
//! Sources: Documentation/admin-guide/cgroup-v1/ and cgroup-v2.rst of the kernel.

use std::fs;

use anyhow::{Context, ensure};

use crate::{
    group::Group,
    hierarchy::Version,
    resources::{CpuList, CpuShares, Resources, Size},
};

/// One resource that a group can limit.
pub trait Subsystem {
    /// Its name in /proc/cgroups.
    fn name(&self) -> &'static str;

    /// Sets the limit.
    ///
    /// # Errors
    ///
    /// The kernel refuses it, or cannot limit it.
    fn set(&self, group: &Group) -> anyhow::Result<()>;

    /// What the kernel made of it: `knob = value`.
    ///
    /// # Errors
    ///
    /// The knob is not there.
    fn read_back(&self, group: &Group) -> anyhow::Result<String>;
}

/// The subsystems that these limits need.
pub fn subsystems(resources: &Resources) -> Vec<Box<dyn Subsystem>> {
    let mut needed: Vec<Box<dyn Subsystem>> = Vec::new();
    if let Some(limit) = resources.memory {
        needed.push(Box::new(Memory { limit }));
    }
    if let Some(shares) = resources.cpu_shares {
        needed.push(Box::new(Cpu { shares }));
    }
    if let Some(cpus) = resources.cpuset_cpus.clone() {
        needed.push(Box::new(Cpuset { cpus }));
    }
    needed
}

fn shown(group: &Group, knob: &str) -> anyhow::Result<String> {
    Ok(format!("{knob} = {}", group.get(knob)?))
}

/// The most memory, swap included.
struct Memory {
    limit: Size,
}

impl Memory {
    fn knob(group: &Group) -> &'static str {
        match group.version {
            Version::V1 => "memory.limit_in_bytes",
            Version::V2 => "memory.max",
        }
    }
}

impl Subsystem for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn set(&self, group: &Group) -> anyhow::Result<()> {
        // ANCHOR: exercise-limit
        let limit = self.limit.to_string();
        group.set(Self::knob(group), &limit)?;
        // Without this a hog is not killed but swapped out, and slow. v1 counts memory and
        // swap together, so the same limit leaves none for swap; v2 counts swap alone.
        let (knob, value) = match group.version {
            Version::V1 => ("memory.memsw.limit_in_bytes", limit.as_str()),
            Version::V2 => ("memory.swap.max", "0"),
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

    fn read_back(&self, group: &Group) -> anyhow::Result<String> {
        shown(group, Self::knob(group))
    }
}

/// Whether the machine has swap at all: /proc/swaps is a heading and a line for each.
fn machine_swaps() -> anyhow::Result<bool> {
    Ok(fs::read_to_string("/proc/swaps").context("read /proc/swaps")?.lines().count() > 1)
}

/// The share of the processor.
struct Cpu {
    shares: CpuShares,
}

impl Subsystem for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn set(&self, group: &Group) -> anyhow::Result<()> {
        match group.version {
            Version::V1 => group.set("cpu.shares", &self.shares.shares().to_string()),
            Version::V2 => group.set("cpu.weight", &self.shares.weight().to_string()),
        }
    }

    fn read_back(&self, group: &Group) -> anyhow::Result<String> {
        match group.version {
            Version::V1 => shown(group, "cpu.shares"),
            Version::V2 => shown(group, "cpu.weight"),
        }
    }
}

/// The processors to run on.
struct Cpuset {
    cpus: CpuList,
}

impl Subsystem for Cpuset {
    fn name(&self) -> &'static str {
        "cpuset"
    }

    fn set(&self, group: &Group) -> anyhow::Result<()> {
        group
            .set("cpuset.cpus", &self.cpus.to_string())
            .context("is there such a processor, and is it ours?")?;
        if group.version == Version::V1 {
            // A new v1 group has no memory nodes either, and takes no process before it has.
            let parent =
                group.folder().parent().context("a group is in a folder")?.join("cpuset.mems");
            let nodes = fs::read_to_string(&parent)
                .with_context(|| format!("read {}", parent.display()))?;
            group.set("cpuset.mems", nodes.trim())?;
        }
        Ok(())
    }

    fn read_back(&self, group: &Group) -> anyhow::Result<String> {
        shown(group, "cpuset.cpus")
    }
}

/// What a memory limit did, in the kernel's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryReport {
    /// The limit, in bytes.
    pub limit: u64,
    /// The most that was in use at once, in bytes; unknown on v2 before Linux 5.19.
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
            Version::V1 => ("memory.max_usage_in_bytes", "memory.oom_control"),
            Version::V2 => ("memory.peak", "memory.events"),
        };
        let number =
            |text: String| text.parse::<u64>().with_context(|| format!("{text:?} is no number"));
        let kills = group.get(events)?;
        let kills = kills
            .lines()
            .find_map(|line| line.strip_prefix("oom_kill "))
            .context("no line oom_kill")?;
        Ok(MemoryReport {
            limit: number(group.get(Memory::knob(group))?)?,
            peak: if group.has(peak) {
                Some(number(group.get(peak)?)?)
            } else {
                None
            },
            oom_kills: number(kills.to_owned())?,
        })
    }
}
// ANCHOR_END: all
