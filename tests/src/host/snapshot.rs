//! What of the machine could a stage have changed, and has it?
//!
//! Only what the judged stage can have made is compared: on a machine that is in use,
//! containers start, sticks are mounted and sessions open at any moment. As root, the judge
//! has mount, UTS, IPC and network namespaces of its own, so all that changes there is the
//! stage's doing. An ordinary user's stage cannot mount, name the host or add an interface
//! outside a user namespace, and cannot make a cgroup hierarchy at all: the kernel refuses it, and
//! there is nothing to compare. What both share with the machine is its cgroups: there a difference
//! may be another program's.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use nix::unistd::geteuid;

use crate::{
    User, cgroups,
    delegation::{is_delegated, is_own_delegation},
    patience, told,
};

/// How long a group may be without a process before or after a container of another program.
const GROUP_OF_OTHERS: Duration = Duration::from_secs(1);

/// What of the machine a stage could change.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot {
    uid: u32,
    hostname: Option<String>,
    mounts: BTreeSet<String>,
    links: BTreeSet<String>,
    queues: BTreeSet<String>,
    hierarchies: BTreeSet<String>,
    groups: BTreeMap<PathBuf, u32>,
    files: BTreeSet<PathBuf>,
}

/// Something that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What.
    pub text: String,
    /// Whether it can be another program's doing.
    pub may_be_anothers: bool,
}

impl Snapshot {
    /// Of the machine, as far as this user's stage can change it, and of the files in `folder`.
    ///
    /// # Errors
    ///
    /// /proc is not mounted.
    pub fn take(user: User, folder: &Path) -> anyhow::Result<Snapshot> {
        let read = |file: &str| fs::read_to_string(file).with_context(|| format!("read {file}"));
        let is_root = geteuid().is_root();
        let lines = |file: &str| match is_root {
            true => Ok(read(file)?.lines().map(str::to_owned).collect::<BTreeSet<_>>()),
            false => anyhow::Ok(BTreeSet::new()),
        };
        let interface = |line: String| Some(line.split_once(':')?.0.trim().to_owned());
        let hierarchy = |line: &str| Some(line.split(':').nth(1)?.to_owned());
        Ok(Snapshot {
            uid: user.uid(),
            hostname: is_root.then(|| read("/proc/sys/kernel/hostname")).transpose()?,
            mounts: lines("/proc/self/mountinfo")?,
            links: lines("/proc/self/net/dev")?.into_iter().filter_map(interface).collect(),
            queues: system_v_ids(is_root)?,
            hierarchies: match user {
                User::Root => read("/proc/self/cgroup")?.lines().filter_map(hierarchy).collect(),
                User::Ordinary => BTreeSet::new(),
            },
            groups: cgroups::all()?,
            files: names(folder),
        })
    }

    /// What is different in `after`.
    pub fn differences(&self, after: &Snapshot) -> Vec<Difference> {
        let mut found = Vec::new();
        if let (Some(before), Some(after)) = (&self.hostname, &after.hostname)
            && before != after
        {
            found.push(format!("the hostname is {} now", told(&after.trim())));
        }
        compare("mount", &self.mounts, &after.mounts, &mut found);
        compare("System V id", &self.queues, &after.queues, &mut found);
        compare("network interface", &self.links, &after.links, &mut found);
        let shown = |paths: &BTreeSet<PathBuf>| {
            paths.iter().map(|path| path.display().to_string()).collect()
        };
        compare("file", &shown(&self.files), &shown(&after.files), &mut found);
        let own = |text| Difference {
            text,
            may_be_anothers: false,
        };
        let mut found: Vec<Difference> = found.into_iter().map(own).collect();

        let new = after.hierarchies.difference(&self.hierarchies);
        found.extend(new.map(|name| Difference {
            text: format!("a new cgroup hierarchy: {name}"),
            may_be_anothers: true,
        }));
        // A group that the stage can have made belongs to its user.
        let new = after.groups.iter().filter(|(path, owner)| {
            !self.groups.contains_key(*path)
                && **owner == self.uid
                && !is_another_judges(path)
                && is_left_over(path)
        });
        found.extend(new.map(|(path, _)| Difference {
            text: format!("a new cgroup: {}", path.display()),
            may_be_anothers: !User::Ordinary.is_another() || self.uid == 0,
        }));
        found
    }
}

/// Whether a judge that runs at the same time has given the group away: its ordinary user has the
/// same uid.
fn is_another_judges(group: &Path) -> bool {
    let mut names = group.iter().filter_map(|name| name.to_str());
    names.any(|name| is_delegated(name) && !is_own_delegation(name))
}

fn compare(
    what: &str,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
    found: &mut Vec<String>,
) {
    found.extend(after.difference(before).map(|one| format!("a new {what}: {one}")));
    found.extend(before.difference(after).map(|one| format!("a {what} is gone: {one}")));
}

/// The System V objects of this IPC namespace: root's judge has one of its own, anybody else
/// looks at the user's own. Key and id: the other columns change when one is used.
fn system_v_ids(all: bool) -> anyhow::Result<BTreeSet<String>> {
    let own = geteuid().to_string();
    let mut ids = BTreeSet::new();
    for kind in ["msg", "sem", "shm"] {
        // A kernel without System V IPC has no such file.
        let table = fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default();
        let mut lines = table.lines();
        let head: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
        let owner = head.iter().position(|name| *name == "uid");
        for line in lines {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if all || owner.and_then(|column| fields.get(column)) == Some(&own.as_str()) {
                ids.insert(format!("{kind} {}", fields.get(..2).unwrap_or_default().join(" ")));
            }
        }
    }
    Ok(ids)
}

fn names(folder: &Path) -> BTreeSet<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

/// Whether a new group stays although no process is in it or below it. None of the stage's
/// processes is left by now: a group with a process in it is another program's.
fn is_left_over(group: &Path) -> bool {
    let start = Instant::now();
    while start.elapsed() < patience(GROUP_OF_OTHERS) {
        if !group.exists() || has_processes(group) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    group.exists()
}

fn has_processes(group: &Path) -> bool {
    let own = fs::read_to_string(group.join("cgroup.procs"));
    let below = || names(group).iter().any(|path| path.is_dir() && has_processes(path));
    own.is_ok_and(|pids| !pids.is_empty()) || below()
}
