// ANCHOR: all
//! What must a PID 1 do that stays?
//!
//! When a process ends, its children become PID 1's; and until somebody waits for a
//! process that has ended, it is a zombie. A command that never expected to be PID 1
//! reaps only the children it knows. So this one does: it waits for everybody, and passes
//! on the signals that it gets, which the command, as PID 1, would not hear.
//! Source: pid_namespaces(7), waitid(2).

use std::convert::Infallible;

use anyhow::Context;
use ch01_uts::{Arrived, PASSED_ON, spawn};
use lab::Exit;
use lab::{debug, info};
use nix::{
    errno::Errno,
    sched::CloneFlags,
    sys::{
        signal::{SigHandler, Signal, kill, signal as sigaction},
        wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid},
    },
    unistd::Pid,
};

/// Starts the command as a child, and stays until it ends; its end is ours. The kernel
/// then kills whoever is left.
///
/// # Errors
///
/// The error of a child that never became the command.
pub fn stay_and_reap(command: impl FnOnce() -> anyhow::Result<Infallible>) -> anyhow::Result<Exit> {
    info!("staying as PID 1, the command is a child"); // said before there are two to speak
    let child = spawn(CloneFlags::empty(), command)?;
    be_heard()?;
    child.wait_and(|child, arrived| match arrived {
        Arrived {
            signal: Signal::SIGCHLD,
            ..
        } => reap_orphans(child),
        Arrived {
            child_has_it: true, ..
        } => Ok(()),
        Arrived { signal, .. } => {
            info!("{signal}: passing it on to {child}");
            kill(child, signal)
        }
    })
}

/// A PID 1 hears the signals only for which it has a handler. This one does nothing: the
/// signals are blocked, and read where this process waits (see [`ch01_uts::Child`]).
fn be_heard() -> anyhow::Result<()> {
    extern "C" fn nothing(_: i32) {}
    for signal in PASSED_ON {
        // SAFETY: a handler that does nothing is safe at any moment, and execve(2) forgets it.
        unsafe { sigaction(signal, SigHandler::Handler(nothing)) }
            .with_context(|| format!("handle {signal}"))?;
    }
    Ok(())
}

/// Waits for everybody who has ended, but leaves the command itself to its own wait.
fn reap_orphans(command: Pid) -> nix::Result<()> {
    // ANCHOR: exercise-reap
    loop {
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let pid = match waitid(Id::All, look) {
            Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..)) if pid != command => pid,
            Ok(_) | Err(Errno::ECHILD) => return Ok(()),
            Err(errno) => return Err(errno),
        };
        waitpid(pid, None)?;
        debug!("reaped the orphan {pid}");
    }
    // ANCHOR_END: exercise-reap
}
// ANCHOR_END: all
