// ANCHOR: clone
//! How does a process make a child in new namespaces?

use std::{
    os::fd::{FromRawFd, OwnedFd, RawFd},
    process,
    ptr::{from_mut, null},
};

use anyhow::{Context, anyhow, ensure};
use lab::{Kind, Namespaces, Next, context, diagnose, error_pipe, go_on, info};
use nix::{
    errno::Errno,
    sched::{CloneFlags, unshare},
    sys::{
        prctl,
        signal::{Signal, kill},
        wait::waitpid,
    },
    unistd::Pid,
};

use crate::{Child, Process, wait::Postponed};

/// In which of the two processes has clone(2) returned?
#[derive(Debug)]
pub enum Cloned {
    /// In the parent: this is the child.
    Parent(Process),
    /// In the child.
    Child,
}

/// clone(2), as fork(2) with flags: it returns twice. The child is in new namespaces; it has a
/// copy of all memory, and so returns on a copy of the same stack.
///
/// # Errors
///
/// EPERM without CAP_SYS_ADMIN (but for a user namespace), ENOSPC at a limit of namespaces(7),
/// EINVAL where the kernel lacks a namespace; this process has more than one thread; or a time
/// namespace is asked for.
pub fn clone(namespaces: Namespaces) -> anyhow::Result<Cloned> {
    ensure!(
        !namespaces.contains(Kind::Time),
        "clone(2) makes no time namespace: CLONE_NEWTIME is a bit of the exit signal there"
    );
    require_one_thread()?;
    // SAFETY: a set of namespaces without a time namespace is flags that are safe, and there is
    // one thread.
    unsafe { raw_clone(namespaces.bits()) }.map_err(|errno| {
        let what = if namespaces.is_empty() {
            "no".into()
        } else {
            namespaces.to_string()
        };
        let reason = diagnose::explain_clone_error(namespaces, errno);
        anyhow!("clone, with new namespaces: {what}: {}: {reason}", errno.desc())
    })
}

/// The system call, with more flags than the namespaces' own.
///
/// # Errors
///
/// As clone(2).
///
/// # Safety
///
/// None of `flags` shares memory with the child (CLONE_VM, CLONE_THREAD, CLONE_SIGHAND) or changes
/// what the arguments mean. This process has one thread: of several, the child would have just
/// this one, and the locks that the others held would stay locked.
pub unsafe fn raw_clone(flags: libc::c_int) -> nix::Result<Cloned> {
    let flags = libc::c_long::from(flags | libc::CLONE_PIDFD | libc::SIGCHLD);
    let mut pidfd: RawFd = -1;
    let none = null::<libc::c_void>();
    // SAFETY: the null is for the child's stack: without CLONE_VM it goes on with its copy of this
    // one. The kernel writes the descriptor to `pidfd`, and the last two arguments are not used.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone, flags, none, from_mut(&mut pidfd), none, none) };
    match Errno::result(pid)? {
        0 => Ok(Cloned::Child),
        // Before Linux 5.2, and in gVisor, CLONE_PIDFD is ignored: there is a child, and no pidfd.
        pid if pidfd == -1 => {
            let child = Pid::from_raw(pid as i32);
            kill(child, Signal::SIGKILL)?;
            waitpid(child, None)?;
            Err(Errno::ENOSYS)
        }
        pid => {
            // SAFETY: the kernel has just opened it, so nothing else owns it; it is close-on-exec.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Cloned::Parent(Process::new(Pid::from_raw(pid as i32), pidfd)))
        }
    }
}

/// unshare(2) of CLONE_THREAD changes nothing where there is one thread, and is EINVAL elsewhere.
///
/// # Errors
///
/// There are more.
pub fn require_one_thread() -> anyhow::Result<()> {
    match unshare(CloneFlags::CLONE_THREAD) {
        Err(Errno::EINVAL) => Err(anyhow!("clone: this process has more than one thread")),
        _ => Ok(()), // a sandbox may forbid the call: then it says nothing about threads
    }
}
// ANCHOR_END: clone

// ANCHOR: spawn
/// Starts `child` in a new process, in these new namespaces. What it returns comes next there: a
/// program to become, or an exit status. The kernel kills it when this process ends.
///
/// # Errors
///
/// As [`clone`].
pub fn spawn<N: Into<Next>>(
    namespaces: Namespaces,
    child: impl FnOnce() -> anyhow::Result<N>,
) -> anyhow::Result<Child> {
    if !namespaces.is_empty() {
        info!("cloning: {namespaces}");
    }
    let (report, errors) = error_pipe()?;
    let postponed = Postponed::new()?;
    match clone(namespaces)? {
        Cloned::Parent(process) => Ok(Child::new(process, report).until_it_waits(postponed)),
        Cloned::Child => {
            drop(postponed);
            drop(report); // a copy: the pipe has a reader as long as any process has that end
            context::speak_as("child");
            let next = die_with_parent().and_then(|()| child());
            process::exit(go_on(next, Some(errors)).into())
        }
    }
}

/// Asks the kernel to kill this process when its parent ends (PR_SET_PDEATHSIG, prctl(2)).
///
/// The request means the parent's THREAD that cloned, not its process. The kernel forgets it when
/// this process changes its ids or executes a set-user-ID program. A parent that ended before the
/// request is found out before the execve(2): see [`mod@lab::error_pipe`].
///
/// # Errors
///
/// As prctl(2).
pub fn die_with_parent() -> anyhow::Result<()> {
    // ANCHOR: exercise-parent
    prctl::set_pdeathsig(Signal::SIGKILL).context("prctl PR_SET_PDEATHSIG")
    // ANCHOR_END: exercise-parent
}
// ANCHOR_END: spawn
