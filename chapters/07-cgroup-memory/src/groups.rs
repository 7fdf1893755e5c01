// ANCHOR: groups
//! Who makes a container's groups, moves the container into them, and removes them?

use std::path::Path;

use anyhow::Context;
use lab::{info, warn};
use nix::unistd::Pid;

use crate::{
    CgroupOptions,
    base::Base,
    group::{Group, clear_left_over},
    hierarchy::{Hierarchy, hierarchies_of, with_controller},
    memory::{self, MemoryReport},
};

/// The groups of one container: one in each hierarchy that has a limit, so on version 2 one in
/// all. They are removed when this is dropped, after the container has ended.
#[derive(Debug, Default)]
pub struct Groups {
    // Dropped in this order: the groups, then what was prepared for them.
    groups: Vec<Group>,
    /// Which of them has the memory limit.
    memory: Option<usize>,
    bases: Vec<Base>,
}

impl Groups {
    /// Makes the groups and sets the limits. The groups are empty. Without a limit there is no
    /// group.
    ///
    /// # Errors
    ///
    /// No hierarchy has a controller, no group can be made there, or the kernel refuses a limit.
    pub fn create(limits: &CgroupOptions) -> anyhow::Result<Groups> {
        let mut groups = Groups::default();
        for (hierarchy, controllers) in needed(limits)? {
            let mut base = Base::prepare(&hierarchy, &controllers)
                .with_context(|| format!("limit {}", controllers.join(", ")))?;
            let group = Group::create(hierarchy.version, &base)?;
            base.ready();
            groups.bases.push(base);
            groups.groups.push(group);
            groups.limit(limits, &controllers)?;
        }
        Ok(groups)
    }

    /// Sets the limits of these controllers in the group that was made last.
    fn limit(&mut self, limits: &CgroupOptions, controllers: &[&str]) -> anyhow::Result<()> {
        let group = self.groups.last().context("a group was just made")?;
        let has = |name: &str| controllers.contains(&name);
        let mut knobs = Vec::new();
        if let Some(most) = limits.memory.filter(|_| has("memory")) {
            memory::limit(group, most)?;
            knobs.push(memory::knob(group));
            self.memory = Some(self.groups.len() - 1);
        }
        if let Some(shares) = limits.cpu_shares.filter(|_| has("cpu")) {
            knobs.push(shares.set(group)?);
        }
        if let Some(list) = limits.cpuset_cpus.as_ref().filter(|_| has("cpuset")) {
            knobs.push(list.set(group)?);
        }
        for knob in knobs {
            info!("cgroup {}: {knob} = {}", group.version, group.get(knob)?);
        }
        Ok(())
    }

    /// Moves a process, which waits at the gate, into every group. From then on it is limited.
    ///
    /// # Errors
    ///
    /// As [`Group::add`].
    pub fn add(&self, pid: Pid) -> anyhow::Result<()> {
        self.groups.iter().try_for_each(|group| group.add(pid))
    }

    /// The groups' folders.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.groups.iter().map(Group::folder)
    }

    /// Logs what the memory limit did. The container has ended, so a number that cannot be read is
    /// a warning and not an error.
    pub fn report(&self) {
        let Some(group) = self.memory.map(|index| &self.groups[index]) else {
            return;
        };
        if !lab::log::is_on() {
            return;
        }
        let shown = |number: Option<u64>, otherwise: &str| {
            number.map_or(otherwise.to_owned(), |number| number.to_string())
        };
        match MemoryReport::read(group) {
            Ok(MemoryReport {
                limit,
                peak,
                oom_kills,
            }) => {
                let (limit, peak) = (shown(limit, "none"), shown(peak, "unknown"));
                info!("memory: limit {limit}, peak {peak}, OOM kills {oom_kills}");
                if oom_kills > 0 {
                    let processes = if oom_kills == 1 {
                        "process"
                    } else {
                        "processes"
                    };
                    warn!("the memory limit killed {oom_kills} {processes}");
                }
            }
            Err(error) => warn!("no report of the memory limit: {error:#}"),
        }
    }

    /// Removes the groups with these limits that a killed process has left.
    pub fn clear(limits: &CgroupOptions) {
        let stay = |error| warn!("cgroups stay until the next run removes them: {error:#}");
        let needed = match needed(limits) {
            Ok(needed) => needed,
            Err(error) => return stay(error),
        };
        for (hierarchy, controllers) in needed {
            match Base::prepare(&hierarchy, &controllers) {
                Ok(base) => clear_left_over(base.folder()),
                Err(error) => stay(error),
            }
        }
    }
}

/// The hierarchies in which something is limited, with the names of the controllers.
fn needed(limits: &CgroupOptions) -> anyhow::Result<Vec<(Hierarchy, Vec<&'static str>)>> {
    let asked = [
        ("memory", limits.memory.is_some()),
        ("cpu", limits.cpu_shares.is_some()),
        ("cpuset", limits.cpuset_cpus.is_some()),
    ];
    let mut needed: Vec<(Hierarchy, Vec<&str>)> = Vec::new();
    if asked.iter().all(|(_, is_asked)| !is_asked) {
        return Ok(needed);
    }
    let hierarchies = hierarchies_of("self")?;
    for (controller, _) in asked.into_iter().filter(|(_, is_asked)| *is_asked) {
        let hierarchy = with_controller(&hierarchies, controller)?;
        match needed.iter_mut().find(|(other, _)| other == hierarchy) {
            Some((_, together)) => together.push(controller),
            None => needed.push((hierarchy.clone(), vec![controller])),
        }
    }
    Ok(needed)
}
// ANCHOR_END: groups
