// ANCHOR: intro
//! What a new PID namespace hides, and what the kernel does for PID 1.
//!
//! The first process of a PID namespace is its init. It has two pids: 1 inside, another outside.
//! When it ends, the kernel kills all other processes of the namespace. The kernel drops a signal
//! that PID 1 neither handles nor blocks; so its parent must know when to send SIGKILL.
//!
//! | module | question it answers |
//! |---|---|
//! | `job` | what does a parent do while PID 1 runs? |
//! | `signals` | which signals does a parent pass on, and how is none of them lost? |
//! | `terminal` | which processes get the terminal's Ctrl-C and its input? |
//! | [`say_who_i_am`] | which pids does this process have? |
//!
//! Source: pid_namespaces(7), signal(7), credentials(7).

mod job;
mod signals;
mod terminal;

use std::fs;

use anyhow::{Context, ensure};
use ch01_uts::{CLONE_NEWUTS, attempt};
use ch02_ipc::CLONE_NEWIPC;
use lab::{Kind, Namespaces, Probe, info};
use nix::unistd::{Pid, getpid};

pub use job::{Job, is_deaf};
pub use terminal::Terminal;

/// A new PID namespace (pid_namespaces(7)).
pub const CLONE_NEWPID: Namespaces = Namespaces::of(Kind::Pid);
// ANCHOR_END: intro

// ANCHOR: who
/// Logs both pids of this process: in its own PID namespace, and in the one that the mounted /proc
/// shows.
///
/// # Errors
///
/// This process is not PID 1, or there is no /proc.
pub fn say_who_i_am() -> anyhow::Result<()> {
    let me = getpid();
    ensure!(
        me == Pid::from_raw(1),
        "this process is not PID 1 of a new PID namespace but {me}"
    );
    // ANCHOR: exercise-two-pids
    let outside = fs::read_link("/proc/self").context("read the link /proc/self")?;
    // ANCHOR_END: exercise-two-pids
    info!("PID {me} in here, {} in the host's /proc, mounted still", outside.display());
    Ok(())
}
// ANCHOR_END: who

// ANCHOR: probe
/// Can a child here be PID 1?
pub fn probe() -> Probe {
    Probe::of(attempt(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID, || {
        ensure!(getpid() == Pid::from_raw(1), "the child's pid is {}, not 1", getpid());
        Ok(())
    }))
}
// ANCHOR_END: probe
