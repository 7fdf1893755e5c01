// ANCHOR: intro
//! cgroups: groups, controllers, limits.
//!
//! Namespaces change what a process sees; cgroups limit what it uses. A *hierarchy* is a tree of
//! *groups*, and each group is a folder. A *controller* (on version 1: subsystem) such as memory
//! limits what the processes of a group use together. [`Groups`] makes a container's groups, sets
//! their limits, puts the container in while it waits at the gate, and removes them.
//!
//! | module | question it answers |
//! |---|---|
//! | [`memory`] | how is memory limited, and what did the limit do? |
//! | [`group`] | what is a group? |
//! | [`groups`] | who makes a container's groups, and who removes them? |
//! | [`hierarchy`] | which hierarchies are there, and in which groups is a process? |
//! | [`base`] | in which group may a container's group be made? |
//! | [`size`] | how do you write a number of bytes? |
//! | [`cpu`] | how is the processor shared? |
//!
//! Source: cgroups(7), and Documentation/admin-guide/cgroup-v2.rst of the kernel.

pub mod base;
pub mod cpu;
pub mod group;
pub mod groups;
pub mod hierarchy;
pub mod memory;
pub mod size;

use anyhow::ensure;
use ch01_uts::spawn;
use ch05_user_idmap::Gate;
use cpu::{CpuList, CpuShares};
use lab::{Exit, Namespaces, Probe};

pub use groups::Groups;
pub use size::Size;

/// What this chapter adds to the command line.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct CgroupOptions {
    /// Limit memory to SIZE and use no swap: a number of bytes, or with k, m or g
    #[arg(short, long, value_name = "SIZE")]
    pub memory: Option<Size>,

    /// The share of the processor: 2 to 262144, the default is 1024
    #[arg(long, value_name = "N")]
    pub cpu_shares: Option<CpuShares>,

    /// The processors that the container may use, such as 0-2,7
    #[arg(long, value_name = "LIST")]
    pub cpuset_cpus: Option<CpuList>,
}
// ANCHOR_END: intro

// ANCHOR: probe
/// Can a child here be limited?
pub fn probe() -> Probe {
    ch06_reexec::probe().but(try_limit())
}

fn try_limit() -> anyhow::Result<()> {
    let limits = CgroupOptions {
        memory: Some(Size(64 << 20)),
        ..CgroupOptions::default()
    };
    let groups = Groups::create(&limits)?;
    let gate = Gate::new()?;
    let child = spawn(Namespaces::NONE, || {
        gate.wait()?;
        Ok(Exit::Code(0))
    })?;
    groups.add(child.pid())?;
    gate.open()?;
    let exit = child.wait()?;
    ensure!(exit == Exit::Code(0), "the child ended with {exit}");
    groups.report();
    Ok(())
}
// ANCHOR_END: probe
