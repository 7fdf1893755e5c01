//! Which cgroups are there, and in which of them is a process?
//!
//! The judge's own eyes: nothing here comes from chapter 7, which is judged with it.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::{ffi::OsStringExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use nix::unistd::{AccessFlags, Pid, access};

use crate::Bench;

/// A mounted hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    /// Where it is mounted.
    pub mount_point: PathBuf,
    /// Which group of it is mounted there: `/`, but in a container perhaps another.
    root: PathBuf,
    /// Whether it is the one of version 2.
    pub is_v2: bool,
    /// Its options on v1, its controllers on v2.
    words: Vec<String>,
}

/// The hierarchies that are mounted where this process can see them.
///
/// # Errors
///
/// /proc is not mounted.
pub fn mounted() -> anyhow::Result<Vec<Hierarchy>> {
    let mountinfo = fs::read("/proc/self/mountinfo").context("read mountinfo")?;
    let mountinfo = String::from_utf8_lossy(&mountinfo); // some mount's name may be no UTF-8
    Ok(mountinfo.lines().filter_map(hierarchy).collect())
}

/// A line of mountinfo, if it is about a hierarchy:
/// `ID PARENT DEV ROOT POINT … - TYPE SOURCE OPTIONS`.
fn hierarchy(line: &str) -> Option<Hierarchy> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(3);
    let (root, mount_point) = (unescaped(mount.next()?), unescaped(mount.next()?));
    let mut filesystem = filesystem.split(' ');
    let kind = filesystem.next()?;
    let words = match kind {
        "cgroup" => filesystem.nth(1)?.split(',').map(str::to_owned).collect(),
        "cgroup2" => fs::read_to_string(mount_point.join("cgroup.controllers"))
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        _ => return None,
    };
    Some(Hierarchy {
        mount_point,
        root,
        is_v2: kind == "cgroup2",
        words,
    })
}

/// mountinfo writes a space, a tab, a newline and a backslash as three octal digits.
fn unescaped(word: &str) -> PathBuf {
    let (mut bytes, mut rest) = (Vec::new(), word.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digits = (*first == b'\\').then(|| after.get(..3)).flatten();
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            bytes.push(byte);
            rest = &after[3..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    std::ffi::OsString::from_vec(bytes).into()
}

/// The hierarchy that has this controller.
///
/// # Errors
///
/// None has.
pub fn with(controller: &str) -> anyhow::Result<Hierarchy> {
    let has = |hierarchy: &Hierarchy| hierarchy.words.iter().any(|word| word == controller);
    mounted()?
        .into_iter()
        .find(has)
        .with_context(|| format!("no hierarchy has {controller}"))
}

impl Hierarchy {
    /// The folder of the group in which a process is: `pid` is a number or `self`.
    ///
    /// # Errors
    ///
    /// There is no such process, or its group is not below what is mounted.
    pub fn group_of(&self, pid: &str) -> anyhow::Result<PathBuf> {
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup"))
            .with_context(|| format!("read the groups of {pid}"))?;
        // `ID:NAMES:PATH`; the one of version 2 has no names.
        let is_ours = |names: &str| match self.is_v2 {
            true => names.is_empty(),
            false => {
                !names.is_empty()
                    && names.split(',').all(|name| self.words.iter().any(|word| word == name))
            }
        };
        let mut lines = text.lines().filter_map(|line| {
            let (names, path) = line.split_once(':')?.1.split_once(':')?;
            is_ours(names).then_some(path)
        });
        let path = lines
            .next()
            .with_context(|| format!("{pid} is in no group of {}", self.mount_point.display()))?;
        let below = Path::new(path).strip_prefix(&self.root);
        Ok(self.mount_point.join(below.context("its group is not mounted here")?))
    }
}

/// The folder of the group in which a process is, for this controller.
///
/// # Errors
///
/// As [`with`] and [`Hierarchy::group_of`].
pub fn group_of(pid: &str, controller: &str) -> anyhow::Result<PathBuf> {
    with(controller)?.group_of(pid)
}

/// The folder of the group with the limits of a process: from 12 on it is the one above.
///
/// # Errors
///
/// As [`group_of`].
pub fn limited(pid: &str, controller: &str) -> anyhow::Result<PathBuf> {
    let mut group = group_of(pid, controller)?;
    if group.file_name().is_some_and(|name| name == "inner") {
        group.pop();
    }
    Ok(group)
}

/// Whether memory is limited by version 1 here.
///
/// # Errors
///
/// No hierarchy has memory.
pub fn memory_is_on_v1() -> anyhow::Result<bool> {
    Ok(!with("memory")?.is_v2)
}

/// Whether this process may make groups below its own memory group, and move itself there: root
/// may, and an ordinary user in a group that was delegated
/// (Documentation/admin-guide/cgroup-v2.rst).
///
/// # Errors
///
/// What could not be read.
pub fn is_delegated() -> anyhow::Result<bool> {
    let hierarchy = with("memory")?;
    let group = hierarchy.group_of("self")?;
    let mut files = vec![".", "cgroup.procs"];
    if hierarchy.is_v2 {
        files.push("cgroup.subtree_control");
    }
    Ok(files.iter().all(|file| access(&group.join(file), AccessFlags::W_OK).is_ok()))
}

/// All groups of all hierarchies, and the uid of their owner.
///
/// # Errors
///
/// /proc is not mounted.
pub fn all() -> anyhow::Result<BTreeMap<PathBuf, u32>> {
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> = mounted()?.into_iter().map(|one| one.mount_point).collect();
    while let Some(folder) = folders.pop() {
        // One that goes meanwhile is not left over.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir())
                && let Ok(data) = entry.metadata()
            {
                found.insert(entry.path(), data.uid());
                folders.push(entry.path());
            }
        }
    }
    Ok(found)
}

/// Moves all processes of one group into another; one that is forked meanwhile, too.
///
/// # Errors
///
/// The kernel refuses one; or new ones come and come.
pub fn move_all(from: &Path, to: &Path) -> anyhow::Result<()> {
    for _ in 0..100 {
        let pids = fs::read_to_string(from.join("cgroup.procs")).context("read cgroup.procs")?;
        if pids.is_empty() {
            return Ok(());
        }
        for pid in pids.split_whitespace() {
            match fs::write(to.join("cgroup.procs"), pid) {
                Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {} // it has ended
                other => other.with_context(|| format!("move {pid}"))?,
            }
        }
    }
    bail!("{} is never empty", from.display())
}

/// The groups of a container's process, as a process in its cgroup namespace sees them.
///
/// # Errors
///
/// It has ended.
pub fn seen_inside(bench: &Bench, pid: Pid) -> anyhow::Result<String> {
    let file = format!("/proc/{pid}/cgroup");
    if bench.stage < 12 {
        return Ok(lasting(&fs::read_to_string(&file).context(file)?));
    }
    let target = pid.to_string();
    let words = ["--target", &target, "--user", "--cgroup", "--preserve-credentials", "cat", &file];
    Ok(lasting(&bench.run("nsenter", words).finish()?.must_end_with(0)?.text()))
}

/// A text with the lines of /proc/PID/cgroup, but for the hierarchy that an example of chapter 7
/// mounts: another run of the tests may do so at any time, and then all processes have that line.
pub fn lasting(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines.filter(|line| !line.contains(":name=cgroup-test:")).collect()
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_examples_hierarchy_does_not_last() {
        assert_eq!(
            lasting("7\n12:name=cgroup-test:/\n9:name=systemd:/\n"),
            "7\n9:name=systemd:/\n"
        );
    }

    #[test]
    fn a_hierarchy_is_known_from_its_line() {
        let line = r"33 31 0:30 /docker/4f /mnt/a\040b\134 ro - cgroup cgroup rw,cpu,cpuacct";
        let found = hierarchy(line).unwrap();
        assert_eq!(found.mount_point, Path::new("/mnt/a b\\"));
        assert_eq!((found.root.as_path(), found.is_v2), (Path::new("/docker/4f"), false));
        assert!(found.words.contains(&"cpuacct".to_owned()));
        assert_eq!(hierarchy("36 24 0:31 / /proc rw - proc proc rw"), None);
    }
}
