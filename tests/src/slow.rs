//! What does a stage do whose parent is slow?
//!
//! A child that does not wait for its parent is right by luck most of the time. So the
//! parent is stopped at each of its system calls (ptrace(2)) for as long as its children
//! have something to do: whatever they can do too early, they do.

use std::{
    io,
    os::unix::process::CommandExt,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::Context;
use nix::{
    errno::Errno,
    sys::wait::{WaitPidFlag, WaitStatus, waitpid},
    unistd::Pid,
};

use crate::{
    patience,
    process::{children_of, state},
};

/// How long the parent is held at one system call, at the most.
const PATIENCE: Duration = Duration::from_secs(1);

/// A new child stops too. So does the stage at its execve(2): without TRACEEXEC one that executes
/// itself again would get a SIGTRAP.
pub(crate) const EVENTS: libc::c_int = libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_EXITKILL;

/// Why a check that needs a slow parent is skipped.
pub const REFUSED: &str = "this machine lets nobody trace a child: see kernel.yama.ptrace_scope";

/// Lets a command stop at its execve(2), and wait for [`hold_back`].
pub fn trace(command: &mut Command) {
    // SAFETY: ptrace(2) is async-signal-safe, and PTRACE_TRACEME takes no pointer.
    unsafe {
        command
            .pre_exec(|| Ok(Errno::result(libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0)).map(drop)?));
    }
}

/// Whether an error of starting a command that was to be traced is ptrace's.
pub fn is_refused(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// Runs a stopped process to its end or to the bound, and its children ahead of it.
///
/// # Errors
///
/// It has not been started to be traced.
pub fn hold_back(parent: Pid, bound: Duration) -> anyhow::Result<()> {
    let (start, bound) = (Instant::now(), patience(bound));
    wait(parent, start + bound)?.context("the stage does not start")?;
    let options = EVENTS | libc::PTRACE_O_TRACEEXIT | libc::PTRACE_O_TRACESYSGOOD;
    request(libc::PTRACE_SETOPTIONS, parent, options as usize)?;
    let mut signal = None;
    loop {
        let_children_run(parent);
        request(libc::PTRACE_SYSCALL, parent, signal.take().unwrap_or(0))?;
        match wait(parent, start + bound)? {
            Some(WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXIT)) => {
                return let_go_on(parent);
            }
            Some(WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXEC)) => {}
            Some(WaitStatus::PtraceEvent(..)) => let_go(Pid::from_raw(message(parent)? as i32))?,
            Some(WaitStatus::Stopped(_, arrived)) => signal = Some(arrived as usize),
            Some(_) => {}
            // It sleeps, and can be let go only when it is stopped. What hangs is found out by
            // others.
            None => {
                nix::sys::signal::kill(parent, nix::sys::signal::Signal::SIGSTOP)?;
                waitpid(parent, None)?;
                return let_go_on(parent);
            }
        }
    }
}

/// A new child is traced too, and stopped: it is let go.
fn let_go(child: Pid) -> anyhow::Result<()> {
    waitpid(child, None).context("wait for a new child to stop")?;
    let_go_on(child)
}

/// Lets a stopped process go, which is traced no more.
pub(crate) fn let_go_on(pid: Pid) -> anyhow::Result<()> {
    request(libc::PTRACE_DETACH, pid, 0)
}

/// Waits until no child of the process runs: each sleeps, or has ended.
fn let_children_run(parent: Pid) {
    let start = Instant::now();
    let runs = |child: &Pid| matches!(state(*child), Some('R' | 'D'));
    while start.elapsed() < patience(PATIENCE)
        && children_of(parent).unwrap_or_default().iter().any(runs)
    {
        sleep(Duration::from_micros(100));
    }
}

/// The next change of the process's state; `None` if there is none before the deadline.
pub(crate) fn wait(pid: Pid, deadline: Instant) -> anyhow::Result<Option<WaitStatus>> {
    loop {
        match waitpid(pid, Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL))
            .context("wait for a traced process")?
        {
            WaitStatus::StillAlive if Instant::now() > deadline => return Ok(None),
            WaitStatus::StillAlive => sleep(Duration::from_micros(100)),
            status => return Ok(Some(status)),
        }
    }
}

pub(crate) fn request(what: libc::c_uint, pid: Pid, data: usize) -> anyhow::Result<()> {
    // SAFETY: PTRACE_SETOPTIONS, PTRACE_SYSCALL and PTRACE_DETACH, which are asked for above, take
    // their data for a number; only the requests that read or write take it for an address.
    let answer = unsafe { libc::ptrace(what, pid.as_raw(), 0, data) };
    match Errno::result(answer) {
        Ok(_) | Err(Errno::ESRCH) => Ok(()), // it has ended meanwhile
        Err(errno) => Err(errno).context("ptrace"),
    }
}

/// The pid that goes with the event at which the process is stopped.
pub(crate) fn message(pid: Pid) -> anyhow::Result<libc::c_ulong> {
    let mut message: libc::c_ulong = 0;
    // SAFETY: PTRACE_GETEVENTMSG writes an unsigned long to its data, which points to one.
    let answer = unsafe { libc::ptrace(libc::PTRACE_GETEVENTMSG, pid.as_raw(), 0, &mut message) };
    Errno::result(answer).context("ptrace: which child?")?;
    Ok(message)
}
