// ANCHOR: hierarchy
//! Which cgroup hierarchies are there, and where in each of them does this process sit?
//!
//! A hierarchy is a tree of groups. On v1 there may be many, each with the subsystems
//! that were mounted with it, or with none and a name; on v2 there is one. A machine can
//! have both (hybrid): then a subsystem is in one of them. Where they are mounted is told
//! by /proc/self/mountinfo, and where this process sits by /proc/self/cgroup
//! (proc_pid_mountinfo(5), cgroups(7)).

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};

/// The two interfaces that the kernel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Many hierarchies.
    V1,
    /// One hierarchy.
    V2,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Version::V1 => "v1",
            Version::V2 => "v2",
        })
    }
}

/// A mounted hierarchy, and this process's group in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    /// Its interface.
    pub version: Version,
    /// The folder on which it is mounted.
    pub mount_point: PathBuf,
    /// The subsystems that are attached to it, or `name=…` for one without.
    pub subsystems: Vec<String>,
    /// The folder of the process's group, under the mount point.
    pub own_group: PathBuf,
}

/// The hierarchies that this process can see.
///
/// # Errors
///
/// /proc is not mounted.
pub fn hierarchies() -> anyhow::Result<Vec<Hierarchy>> {
    hierarchies_of("self")
}

/// The hierarchies that this process can see, with the groups of another one: of the pid `process`.
///
/// # Errors
///
/// There is no such process.
pub fn hierarchies_of(process: &str) -> anyhow::Result<Vec<Hierarchy>> {
    let read = |path: &str| fs::read_to_string(path).with_context(|| format!("read {path}"));
    let mut found =
        parse(&read("/proc/self/mountinfo")?, &read(&format!("/proc/{process}/cgroup"))?);
    for hierarchy in found.iter_mut().filter(|hierarchy| hierarchy.version == Version::V2) {
        let controllers = fs::read_to_string(hierarchy.mount_point.join("cgroup.controllers"))
            .unwrap_or_default();
        hierarchy.subsystems = controllers.split_whitespace().map(str::to_owned).collect();
    }
    Ok(found)
}

/// The hierarchy that has this subsystem.
///
/// # Errors
///
/// No mounted hierarchy has it.
pub fn hierarchy_of(subsystem: &str) -> anyhow::Result<Hierarchy> {
    let found = hierarchies()?
        .into_iter()
        .find(|hierarchy| hierarchy.subsystems.iter().any(|name| name == subsystem));
    found.ok_or_else(|| {
        anyhow!("no mounted cgroup hierarchy has the subsystem {subsystem}: see /proc/cgroups and /proc/self/mountinfo")
    })
}

/// One line of /proc/self/cgroup: `ID:SUBSYSTEMS:PATH`.
struct Membership<'a> {
    subsystems: Vec<&'a str>,
    path: &'a str,
}

fn parse(mountinfo: &str, cgroup: &str) -> Vec<Hierarchy> {
    let memberships: Vec<Membership> = cgroup
        .lines()
        .filter_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (subsystems, path) = rest.split_once(':')?;
            let subsystems = subsystems.split(',').filter(|name| !name.is_empty()).collect();
            Some(Membership { subsystems, path })
        })
        .collect();
    mountinfo.lines().filter_map(|line| mounted(line, &memberships)).collect()
}

/// One line of /proc/self/mountinfo: `… ROOT MOUNT-POINT … - TYPE SOURCE OPTIONS`.
fn mounted(line: &str, memberships: &[Membership]) -> Option<Hierarchy> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let mount: Vec<&str> = mount.split(' ').collect();
    let (root, mount_point) = (*mount.get(3)?, Path::new(*mount.get(4)?));
    let mut filesystem = filesystem.split(' ');
    let (kind, options) = (filesystem.next()?, filesystem.nth(1)?);
    let has = |option: &&str| options.split(',').any(|other| other == *option);
    let (version, membership) = match kind {
        "cgroup2" => (Version::V2, memberships.iter().find(|one| one.subsystems.is_empty())?),
        "cgroup" => {
            let is_it =
                |one: &&Membership| !one.subsystems.is_empty() && one.subsystems.iter().all(has);
            (Version::V1, memberships.iter().find(is_it)?)
        }
        _ => return None,
    };
    // In a container the mount may begin at the container's own group.
    let below = Path::new(membership.path).strip_prefix(root).ok()?;
    Some(Hierarchy {
        version,
        mount_point: mount_point.to_owned(),
        subsystems: membership.subsystems.iter().map(|&name| name.to_owned()).collect(),
        own_group: if below.as_os_str().is_empty() {
            mount_point.to_owned()
        } else {
            mount_point.join(below)
        },
    })
}
// ANCHOR_END: hierarchy

#[cfg(test)]
mod tests {
    use super::*;

    fn found(mountinfo: &str, cgroup: &str) -> Vec<(Version, String, String)> {
        let names = |hierarchy: Hierarchy| {
            (
                hierarchy.version,
                hierarchy.subsystems.join(","),
                hierarchy.own_group.display().to_string(),
            )
        };
        parse(mountinfo, cgroup).into_iter().map(names).collect()
    }

    #[test]
    fn v2_alone_as_systemd_mounts_it() {
        let mountinfo = "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n\
                         36 24 0:31 / /proc rw - proc proc rw\n";
        let cgroup = "0::/user.slice/user-1000.slice/session-3.scope\n";
        let group = "/sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope";
        assert_eq!(found(mountinfo, cgroup), [(Version::V2, String::new(), group.into())]);
    }

    #[test]
    fn hybrid_with_two_subsystems_in_one_hierarchy_and_a_named_one() {
        let mountinfo = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                         32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:3 - cgroup cgroup rw,cpu,cpuacct\n\
                         33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                         34 31 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
                         35 31 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let cgroup = "9:name=systemd:/\n4:memory:/a/b\n1:cpu,cpuacct:/\n0::/\n";
        let expected = [
            (Version::V1, "cpu,cpuacct".into(), "/sys/fs/cgroup/cpu,cpuacct".into()),
            (Version::V1, "memory".into(), "/sys/fs/cgroup/memory/a/b".into()),
            (Version::V1, "name=systemd".into(), "/sys/fs/cgroup/systemd".into()),
            (Version::V2, String::new(), "/sys/fs/cgroup/unified".into()),
        ];
        assert_eq!(found(mountinfo, cgroup), expected);
    }

    #[test]
    fn a_container_whose_mount_begins_at_its_own_group() {
        let mountinfo =
            "33 31 0:30 /docker/4f /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let group = "/sys/fs/cgroup/memory/inner";
        assert_eq!(
            found(mountinfo, "4:memory:/docker/4f/inner\n"),
            [(Version::V1, "memory".to_owned(), group.to_owned())]
        );
        assert_eq!(found(mountinfo, "4:memory:/elsewhere\n"), []);
    }
}
