// ANCHOR: intro
//! What a new PID namespace hides, and what it means to be PID 1.
//!
//! The first process of a PID namespace is its init. One process, two pids: 1 inside,
//! any number outside. When it ends, the kernel kills all the others, so nothing that a
//! command left in the background stays. And it is deaf: a signal for which it has no
//! handler does nothing, so that no process inside can end it. Source: pid_namespaces(7).

mod terminal;

use std::{fs, io, path::Path};

use anyhow::{Context, ensure};
use ch01_uts::{Child, attempt};
use lab::{Exit, Probe};
use lab::{info, warn};
use nix::{
    sched::CloneFlags,
    sys::signal::{Signal, kill},
    unistd::{Pid, getpid},
};

pub use terminal::Terminal;

/// The new namespaces of this stage.
// ANCHOR: exercise-flag
pub const NAMESPACES: CloneFlags = ch02_ipc::NAMESPACES.union(CloneFlags::CLONE_NEWPID);
// ANCHOR_END: exercise-flag
// ANCHOR_END: intro

// ANCHOR: who
/// Logs both pids of this process: its own view, and that of the PID namespace to which
/// the mounted /proc belongs.
///
/// # Errors
///
/// This process is not PID 1, or /proc is not there to ask.
pub fn say_who_i_am() -> anyhow::Result<()> {
    // ANCHOR: exercise-two-pids
    let me = getpid();
    ensure!(
        me == Pid::from_raw(1),
        "this process is not PID 1 of a new PID namespace but {me}"
    );
    let outside = fs::read_link("/proc/self").context("read the link /proc/self")?;
    info!("PID {me} in here, {} in the host's /proc, mounted still", outside.display());
    Ok(())
    // ANCHOR_END: exercise-two-pids
}
// ANCHOR_END: who

// ANCHOR: wait
/// Waits for a child that is PID 1 of its namespace, and has the terminal meanwhile.
///
/// # Errors
///
/// As [`Child::wait`].
pub fn wait_for_init(child: Child, terminal: &Terminal) -> anyhow::Result<Exit> {
    let outcome = child.wait_and(|init, arrived| {
        let signal = arrived.signal;
        if signal == Signal::SIGCHLD {
            return Ok(());
        }
        // ANCHOR: exercise-deaf
        if is_deaf(init, signal).unwrap_or(false) {
            warn!("{signal}: PID 1 has no handler, it would be dropped: SIGKILL");
            return kill(init, Signal::SIGKILL);
        }
        if arrived.child_has_it && !terminal.is_detached() {
            Ok(())
        } else {
            kill(init, signal)
        }
        // ANCHOR_END: exercise-deaf
    });
    if let Err(error) = terminal.take_back() {
        warn!("the terminal is gone: {error:#}");
    }
    outcome
}

/// Whether `signal` does nothing to the process: it is PID 1 where it lives (the last number of
/// NSpid in /proc/PID/status), and has no handler for it (the mask SigCgt), nor ignores it on
/// purpose (SigIgn). Source: proc_pid_status(5).
fn is_deaf(pid: Pid, signal: Signal) -> io::Result<bool> {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))?;
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default()
            .trim()
    };
    let mask = |name: &str| u64::from_str_radix(field(name), 16).unwrap_or(0);
    let is_init = field("NSpid:").split('\t').next_back() == Some("1");
    let bit = 1 << (signal as u64 - 1);
    Ok(is_init && (mask("SigCgt:") | mask("SigIgn:")) & bit == 0)
}
// ANCHOR_END: wait

// ANCHOR: probe
/// Can a child here be PID 1?
pub fn probe() -> Probe {
    Probe::of(attempt(NAMESPACES, || {
        ensure!(getpid() == Pid::from_raw(1), "the child's pid is {}, not 1", getpid());
        Ok(())
    }))
}
// ANCHOR_END: probe
