//! Who makes the groups, puts the container into them, and removes them?

use anyhow::Context;
use lab::{info, warn};
use nix::unistd::Pid;

use crate::{
    base::Base,
    group::Group,
    hierarchy::{Hierarchy, hierarchy_of},
    resources::Resources,
    subsystem::{MemoryReport, Subsystem, subsystems},
};

/// The groups of one container: on v1 one in each hierarchy that is needed, on v2 one in
/// all. They are removed when it is dropped, after the container has ended.
#[derive(Default)]
pub struct Manager {
    // Dropped in this order: the groups, then what was prepared for them.
    limited: Vec<Limited>,
    bases: Vec<Base>,
}

/// A subsystem, and the group in which it is limited.
struct Limited {
    subsystem: Box<dyn Subsystem>,
    group: Group,
}

impl Manager {
    /// Makes the groups and sets the limits; nobody is in them yet. Without a limit there is no
    /// group.
    ///
    /// # Errors
    ///
    /// No hierarchy has a subsystem, no group can be made there, or the kernel refuses a limit.
    pub fn create(resources: &Resources) -> anyhow::Result<Manager> {
        let mut manager = Manager::default();
        let mut wanted: Vec<(Hierarchy, Vec<Box<dyn Subsystem>>)> = Vec::new();
        for subsystem in subsystems(resources) {
            let hierarchy = hierarchy_of(subsystem.name())?;
            match wanted.iter_mut().find(|(other, _)| *other == hierarchy) {
                Some((_, together)) => together.push(subsystem),
                None => wanted.push((hierarchy, vec![subsystem])),
            }
        }
        for (hierarchy, together) in wanted {
            let names: Vec<&str> = together.iter().map(|subsystem| subsystem.name()).collect();
            let base = Base::prepare(&hierarchy, &names)
                .with_context(|| format!("limit {}", names.join(", ")))?;
            for subsystem in together {
                let group = Group::create(hierarchy.version, base.folder())?;
                manager.limited.push(Limited { subsystem, group });
            }
            manager.bases.push(base);
        }
        for Limited { subsystem, group } in &manager.limited {
            subsystem.set(group)?;
            info!("cgroup {}: {}", group.version, subsystem.read_back(group)?);
        }
        Ok(manager)
    }

    /// Moves a process, which waits at the gate, into every group: from then on it is limited.
    ///
    /// # Errors
    ///
    /// As [`Group::add`].
    pub fn add(&self, pid: Pid) -> anyhow::Result<()> {
        self.limited.iter().try_for_each(|limited| limited.group.add(pid))
    }

    /// Says on the log what the memory limit did.
    ///
    /// # Errors
    ///
    /// The kernel's numbers cannot be read.
    pub fn report(&self) -> anyhow::Result<()> {
        for Limited { subsystem, group } in &self.limited {
            if subsystem.name() != "memory" {
                continue;
            }
            let MemoryReport {
                limit,
                peak,
                oom_kills,
            } = MemoryReport::read(group)?;
            let peak = peak.map_or("unknown".into(), |peak| peak.to_string());
            info!("memory: limit {limit}, peak {peak}, OOM kills {oom_kills}");
            if oom_kills > 0 {
                warn!(
                    "the memory limit killed {oom_kills} process{}",
                    if oom_kills == 1 { "" } else { "es" }
                );
            }
        }
        Ok(())
    }
}
