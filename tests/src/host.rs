//! Is the machine as it was?

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use ch07_cgroup_memory::group::maker_is_gone;
use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::{
        prctl,
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, geteuid},
};

use crate::patience;

/// How long a group of somebody else's may be without a process, before or after its container.
const GROUP_OF_OTHERS: Duration = Duration::from_secs(1);

/// How long the kernel may take to end what a killed stage leaves, in milliseconds.
static PATIENCE: AtomicU64 = AtomicU64::new(5000);

/// From now on, what a killed stage leaves must have ended after this long.
pub fn set_patience(bound: Duration) {
    PATIENCE.store(bound.as_millis() as u64, Ordering::Relaxed);
}

/// Prepares this process to judge: what a stage leaves behind becomes its child. As root,
/// its mounts, hostname and System V ids are its own, so that a stage that changes them is
/// found out and hurts nothing but this process; the mounts are shared, as on most machines.
pub fn prepare() -> anyhow::Result<()> {
    prctl::set_child_subreaper(true).context("become a subreaper")?;
    close_on_exec()?;
    if geteuid().is_root() {
        let own = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
        unshare(own).context("mount, UTS and IPC namespaces for the judge")?;
        let none: Option<&str> = None;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
            .context("make the mounts private")?;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SHARED, none)
            .context("make the mounts shared")?;
    }
    Ok(())
}

/// What this process inherited is no business of the stages': marks every descriptor but
/// 0, 1 and 2. (close_range(2) can do that in one call, but only since Linux 5.11.)
fn close_on_exec() -> anyhow::Result<()> {
    let numbers = fs::read_dir("/proc/self/fd")?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().parse()?));
    for number in numbers
        .collect::<anyhow::Result<Vec<i32>>>()?
        .into_iter()
        .filter(|number| *number > 2)
    {
        // SAFETY: F_SETFD takes two numbers, and on the one that was the folder's own it fails.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    Ok(())
}

/// What of the machine a stage could change.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot {
    mounts: BTreeSet<String>,
    hostname: String,
    queues: BTreeSet<String>,
    links: BTreeSet<String>,
    groups: BTreeSet<PathBuf>,
    files: BTreeSet<PathBuf>,
}

impl Snapshot {
    /// Of the machine, and of the files in `folder`.
    pub fn take(folder: &Path) -> anyhow::Result<Snapshot> {
        let mountinfo = fs::read_to_string("/proc/self/mountinfo")?;
        let mut queues = BTreeSet::new();
        for kind in ["msg", "sem", "shm"] {
            let table = fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default();
            // key and id: the other columns change when somebody uses it.
            let ids = table
                .lines()
                .skip(1)
                .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
            queues.extend(ids.map(|id| format!("{kind} {id}")));
        }
        let mut groups = BTreeSet::new();
        for line in mountinfo.lines().filter(|line| line.contains(" - cgroup")) {
            if let Some(place) = line.split(' ').nth(4) {
                find_groups(Path::new(place), &mut groups);
            }
        }
        Ok(Snapshot {
            hostname: fs::read_to_string("/proc/sys/kernel/hostname")?,
            mounts: mountinfo.lines().map(str::to_owned).collect(),
            queues,
            links: names("/sys/class/net")
                .into_iter()
                .map(|path| path.display().to_string())
                .collect(),
            groups,
            files: names(folder),
        })
    }

    /// What is different in `after`, a line each.
    pub fn differences(&self, after: &Snapshot) -> Vec<String> {
        let mut found = Vec::new();
        if self.hostname != after.hostname {
            found.push(format!("the hostname is {:?} now", after.hostname.trim()));
        }
        compare("mount", &self.mounts, &after.mounts, &mut found);
        compare("System V id", &self.queues, &after.queues, &mut found);
        compare("network link", &self.links, &after.links, &mut found);
        let left = after.groups.difference(&self.groups).filter(|group| is_left_over(group));
        found.extend(left.map(|group| format!("a new cgroup: {}", group.display())));
        let shown = |paths: &BTreeSet<PathBuf>| {
            paths.iter().map(|path| path.display().to_string()).collect()
        };
        compare("file", &shown(&self.files), &shown(&after.files), &mut found);
        found
    }
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

fn names(folder: impl AsRef<Path>) -> BTreeSet<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

/// The groups that a stage has left: their name says who made them, and that one has ended.
fn find_groups(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // One whose maker lives is another run's, on the same machine at the same time.
            if entry.file_name().to_str().is_some_and(maker_is_gone) {
                found.insert(entry.path());
            }
            find_groups(&entry.path(), found);
        }
    }
}

/// Whether nobody will remove a new group any more. Others on this machine may run
/// containers too: a group with a process in it, or whose maker lives, is theirs, and so is
/// one that goes by itself a moment later. None of the stage's processes is left by now.
fn is_left_over(group: &Path) -> bool {
    let start = Instant::now();
    while start.elapsed() < patience(GROUP_OF_OTHERS) {
        let maker_lives = group
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| !maker_is_gone(name));
        let Ok(processes) = fs::read_to_string(group.join("cgroup.procs")) else {
            return false;
        };
        if maker_lives || !processes.is_empty() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    group.exists()
}

/// Waits until none of this process's children is left; those that stay are killed.
///
/// # Errors
///
/// A process stayed.
pub fn nobody_stays() -> anyhow::Result<()> {
    let bound = Duration::from_millis(PATIENCE.load(Ordering::Relaxed));
    let start = Instant::now();
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return Ok(()),
            Ok(WaitStatus::StillAlive) if start.elapsed() > patience(bound) => break,
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(1)),
            other => drop(other?),
        }
    }
    let mut left = Vec::new();
    for pid in children()? {
        let command = fs::read_to_string(format!("/proc/{pid}/cmdline"))
            .unwrap_or_default()
            .replace('\0', " ");
        left.push(format!("{pid} ({})", command.trim()));
        kill(pid, Signal::SIGKILL)?;
        waitpid(pid, None)?;
    }
    ensure!(left.is_empty(), "processes stayed: {}", left.join(", "));
    Ok(())
}

/// The pids of this process's children.
pub fn children() -> anyhow::Result<Vec<Pid>> {
    children_of(Pid::this())
}

/// The pids of a process's children (proc_tid_children(5)).
pub fn children_of(pid: Pid) -> anyhow::Result<Vec<Pid>> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .context("read the list of children")?;
    text.split_whitespace().map(|pid| Ok(Pid::from_raw(pid.parse()?))).collect()
}
