//! cgroups: subsystems, hierarchies, limits (v1 and v2).
//!
//! Namespaces change what a process sees; cgroups change what it gets. A *hierarchy* is a
//! tree of *groups*; a *subsystem* (on v2: controller) such as memory limits each group
//! of one hierarchy. [`Manager`] makes groups, sets limits, puts the container in while
//! it waits at the gate, and removes them. A limit that is set after the start would be a
//! race: what the command has by then, it keeps.
//!
//! | module | question it answers |
//! |---|---|
//! | [`resources`] | what can be limited, and how does a person write it? |
//! | [`hierarchy`] | which hierarchies are there, and where does this process sit? |
//! | [`base`] | in which group may a container's group be made? |
//! | [`group`] | what is a group? |
//! | [`subsystem`] | how does a subsystem take its limit, on v1 and on v2? |
//! | [`manager`] | who makes the groups, and who removes them? |
//!
//! Source: cgroups(7), and Documentation/admin-guide/cgroup-v2.rst of the kernel.

pub mod base;
pub mod group;
pub mod hierarchy;
mod hog;
pub mod manager;
pub mod resources;
mod show;
pub mod subsystem;

use anyhow::ensure;
use ch01_uts::spawn;
use ch05_user_idmap::Gate;
use lab::Probe;
use nix::sched::CloneFlags;

pub use hog::hog;
pub use manager::Manager;
pub use resources::{Resources, Size};
pub use show::{named_hierarchy, show};

/// The new namespaces of this stage: none more than the stage below has.
pub const NAMESPACES: CloneFlags = ch06_reexec::NAMESPACES;

/// What this chapter adds to the command line, and the chapters above keep.
#[derive(clap::Args, Clone, Debug)]
pub struct CgroupOptions {
    /// At most this much memory, swap included: bytes, or with k, m or g
    #[arg(short, long, value_name = "SIZE")]
    pub memory: Option<Size>,

    /// The share of the processor, 2 to 262144, usual is 1024
    #[arg(long, value_name = "N")]
    pub cpu_shares: Option<resources::CpuShares>,

    /// The processors to run on, such as 0-2,7
    #[arg(long, value_name = "LIST")]
    pub cpuset_cpus: Option<resources::CpuList>,
}

impl CgroupOptions {
    /// The limits that were asked for.
    pub fn resources(&self) -> Resources {
        Resources {
            memory: self.memory,
            cpu_shares: self.cpu_shares,
            cpuset_cpus: self.cpuset_cpus.clone(),
        }
    }
}

/// Can a child here be limited?
pub fn probe() -> Probe {
    ch06_reexec::probe().but(try_limit())
}

fn try_limit() -> anyhow::Result<()> {
    let manager = Manager::create(&Resources {
        memory: Some(Size(64 << 20)),
        ..Resources::default()
    })?;
    let mut gate = Gate::new()?;
    let child = spawn(CloneFlags::empty(), || {
        gate.wait()?;
        std::process::exit(0)
    })?;
    manager.add(child.pid())?;
    gate.open()?;
    let exit = child.wait()?;
    ensure!(exit == lab::Exit::Code(0), "the child ended with {exit}");
    manager.report()
}
