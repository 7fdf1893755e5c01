// ANCHOR: hierarchy
//! Which cgroup hierarchies are there, and in which group of each is a process?
//!
//! On version 2 there is one hierarchy, with all controllers. On version 1 there may be many,
//! each with the subsystems that were mounted with it, or with none and a name. A machine can
//! have both (hybrid): then a controller is in one of them. /proc/self/mountinfo lists where they
//! are mounted, and /proc/PID/cgroup the groups of a process (proc_pid_mountinfo(5), cgroups(7)):
//!
//! ```text
//! 35 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate
//!            ↑ the group that is mounted, and where     ↑ the kind
//! 0::/user.slice/session-3.scope
//! ↑  ↑ the group; before it, on version 1, the subsystems
//! ```

use std::{
    ffi::OsString,
    fmt, fs,
    os::unix::ffi::OsStringExt,
    path::{Component, Path, PathBuf},
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

/// A mounted hierarchy, and a process's group in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    /// Its interface.
    pub version: Version,
    /// The folder on which it is mounted.
    pub mount_point: PathBuf,
    /// The controllers that it has, or `name=…` for one without.
    pub controllers: Vec<String>,
    /// The folder of the process's group, under the mount point.
    pub group: PathBuf,
}

/// The hierarchies that this process can see, with the groups of the process `pid` (a number, or
/// `self`).
///
/// # Errors
///
/// There is no such process.
pub fn hierarchies_of(pid: &str) -> anyhow::Result<Vec<Hierarchy>> {
    let read = |path: &str| {
        let bytes = fs::read(path).with_context(|| format!("read {path}"))?;
        // Other file systems may be mounted under names that are no UTF-8.
        anyhow::Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let mut found = parse(&read("/proc/self/mountinfo")?, &read(&format!("/proc/{pid}/cgroup"))?);
    for hierarchy in found.iter_mut().filter(|hierarchy| hierarchy.version == Version::V2) {
        let names = fs::read_to_string(hierarchy.mount_point.join("cgroup.controllers"));
        let names = names.unwrap_or_default();
        hierarchy.controllers = names.split_whitespace().map(str::to_owned).collect();
    }
    Ok(found)
}

/// The one of these hierarchies that has this controller.
///
/// # Errors
///
/// None has.
pub fn with_controller<'a>(
    hierarchies: &'a [Hierarchy],
    controller: &str,
) -> anyhow::Result<&'a Hierarchy> {
    let has = |hierarchy: &&Hierarchy| hierarchy.controllers.iter().any(|name| name == controller);
    hierarchies.iter().find(has).ok_or_else(|| {
        anyhow!(
            "no mounted cgroup hierarchy has the controller {controller}: see /proc/cgroups, and \
             `findmnt -t cgroup,cgroup2`"
        )
    })
}

fn parse(mountinfo: &str, cgroup: &str) -> Vec<Hierarchy> {
    mountinfo.lines().filter_map(|line| mounted(line, cgroup)).collect()
}

/// One line of mountinfo: `ID PARENT DEVICE ROOT MOUNT-POINT … - TYPE SOURCE OPTIONS`.
fn mounted(line: &str, cgroup: &str) -> Option<Hierarchy> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(3).map(unescaped);
    let (root, mount_point) = (mount.next()?, mount.next()?);
    if !(root.is_absolute() && mount_point.is_absolute()) {
        return None;
    }
    let mut filesystem = filesystem.split(' ');
    let (kind, options) = (filesystem.next()?, filesystem.nth(1)?);
    let version = match kind {
        "cgroup" => Version::V1,
        "cgroup2" => Version::V2,
        _ => return None,
    };
    // Of /proc/PID/cgroup, `ID:CONTROLLERS:PATH`, the line that is about this hierarchy.
    let is_option = |name: &str| options.split(',').any(|option| option == name);
    let (controllers, path) = cgroup.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let is_it = match version {
            Version::V1 => !controllers.is_empty() && controllers.split(',').all(is_option),
            Version::V2 => controllers.is_empty(),
        };
        is_it.then_some((controllers, path))
    })?;
    // In a container the mount may begin at the container's own group.
    let below = Path::new(path).strip_prefix(&root).ok()?;
    if below.components().any(|part| part == Component::ParentDir) {
        return None; // outside of what this process's cgroup namespace shows
    }
    let controllers = controllers.split(',').filter(|name| !name.is_empty());
    Some(Hierarchy {
        version,
        controllers: controllers.map(str::to_owned).collect(),
        group: if below.as_os_str().is_empty() {
            mount_point.clone()
        } else {
            mount_point.join(below)
        },
        mount_point,
    })
}

/// mountinfo writes a space, a tab, a newline and a backslash as `\` and three octal digits.
fn unescaped(word: &str) -> PathBuf {
    let mut pieces = word.split('\\');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let digits = piece.get(..3).filter(|digits| !digits.starts_with('+'));
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&piece.as_bytes()[3..]);
            }
            None => {
                bytes.push(b'\\');
                bytes.extend(piece.as_bytes());
            }
        }
    }
    OsString::from_vec(bytes).into()
}
// ANCHOR_END: hierarchy

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(mountinfo: &str, cgroup: &str) -> Vec<(Version, String, String)> {
        let names = |hierarchy: Hierarchy| {
            let group = hierarchy.group.display().to_string();
            (hierarchy.version, hierarchy.controllers.join(","), group)
        };
        parse(mountinfo, cgroup).into_iter().map(names).collect()
    }

    #[test]
    fn v2_alone_as_systemd_mounts_it() {
        let mountinfo = "35 24 0:30 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n\
                         36 24 0:31 / /proc rw - proc proc rw\n";
        let cgroup = "0::/user.slice/user-1000.slice/session-3.scope\n";
        let group = "/sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope";
        assert_eq!(found(mountinfo, cgroup), [(Version::V2, String::new(), group.into())]);
    }

    #[test]
    fn hybrid_with_two_subsystems_in_one_hierarchy_and_a_named_one() {
        let mountinfo = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                         32 31 0:29 / /cg/cpu,cpuacct rw shared:3 - cgroup cgroup rw,cpu,cpuacct\n\
                         33 31 0:30 / /cg/memory rw - cgroup cgroup rw,memory\n\
                         34 31 0:31 / /cg/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
                         35 31 0:32 / /cg/unified rw - cgroup2 cgroup2 rw\n";
        let cgroup = "9:name=systemd:/\n4:memory:/a/b\n1:cpu,cpuacct:/\n0::/\n";
        let expected = [
            (Version::V1, "cpu,cpuacct".into(), "/cg/cpu,cpuacct".into()),
            (Version::V1, "memory".into(), "/cg/memory/a/b".into()),
            (Version::V1, "name=systemd".into(), "/cg/systemd".into()),
            (Version::V2, String::new(), "/cg/unified".into()),
        ];
        assert_eq!(found(mountinfo, cgroup), expected);
    }

    #[test]
    fn a_container_whose_mount_begins_at_its_own_group() {
        let mountinfo = "33 31 0:30 /docker/4f /cg/memory ro - cgroup cgroup rw,memory\n";
        let expected = [(Version::V1, "memory".to_owned(), "/cg/memory/inner".to_owned())];
        assert_eq!(found(mountinfo, "4:memory:/docker/4f/inner\n"), expected);
        assert_eq!(found(mountinfo, "4:memory:/elsewhere\n"), []);
    }

    #[test]
    fn a_group_outside_of_the_cgroup_namespace_is_none() {
        let mountinfo = "33 31 0:30 / /cg/memory rw - cgroup cgroup rw,memory\n";
        assert_eq!(found(mountinfo, "4:memory:/../x\n"), []);
        assert_eq!(found(mountinfo, "4:memory:/x/../../y\n"), []);
    }

    #[test]
    fn a_mount_point_may_have_a_space_and_a_backslash() {
        let mountinfo = "33 31 0:30 / /a\\040b\\134c rw - cgroup2 cgroup2 rw\n";
        let expected = [(Version::V2, String::new(), "/a b\\c/x".to_owned())];
        assert_eq!(found(mountinfo, "0::/x\n"), expected);
        for other in ["a\\9z\\", "a\\+12"] {
            assert_eq!(unescaped(other), Path::new(other));
        }
    }
}
