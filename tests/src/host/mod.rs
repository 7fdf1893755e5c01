//! Is the machine as it was?

mod snapshot;

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
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

pub use snapshot::{Difference, Snapshot};

use crate::{patience, process::children_of};

/// How long the kernel may take to end what a killed stage leaves, in milliseconds.
static PATIENCE: AtomicU64 = AtomicU64::new(5000);

/// From now on, what a killed stage leaves must have ended after this long.
pub fn set_patience(bound: Duration) {
    PATIENCE.store(bound.as_millis() as u64, Ordering::Relaxed);
}

/// Prepares this process to judge: what a stage leaves behind becomes its child. As root,
/// its mounts, hostname, System V ids and network are its own, so that a stage that changes them
/// is found out and hurts nothing but this process; the mounts are shared, as on most machines.
pub fn prepare() -> anyhow::Result<()> {
    prctl::set_child_subreaper(true).context("become a subreaper")?;
    close_on_exec()?;
    if geteuid().is_root() {
        let own = CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWNET;
        unshare(own).context("mount, UTS, IPC and network namespaces for the judge")?;
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
