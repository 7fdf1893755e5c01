//! What does a stage do whose parent is slow?
//!
//! A child that does not wait for its parent is right by luck most of the time. So the
//! parent is stopped at each of its system calls (ptrace(2)) for as long as its children
//! have something to do: whatever they can do too early, they do.

use std::{
    fs, io,
    os::unix::process::CommandExt,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::Context;
use nix::{
    errno::Errno,
    sys::{
        ptrace::{self, Event, Options},
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use crate::{
    Outcome,
    bench::{Run, Running},
    patience,
    process::{children_of, state},
};

/// How long the parent is held at one system call, at the most.
const PATIENCE: Duration = Duration::from_secs(1);

/// The events as wait(2) reports them.
pub(crate) const EXEC: i32 = Event::PTRACE_EVENT_EXEC as i32;
pub(crate) const EXIT: i32 = Event::PTRACE_EVENT_EXIT as i32;

/// Why a check that needs a slow parent is skipped.
pub const REFUSED: &str = "this machine lets nobody trace a child: see kernel.yama.ptrace_scope";

/// Lets a command stop at its execve(2), and wait for [`hold_back`].
pub fn trace(command: &mut Command) {
    // SAFETY: PTRACE_TRACEME is one system call: no lock, no allocation.
    unsafe { command.pre_exec(|| Ok(ptrace::traceme()?)) };
}

/// Whether an error of starting a command that was to be traced is ptrace's.
pub fn is_refused(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// Starts a run that stops at its execve(2), and waits for [`hold_back`]. `None`: nobody may trace
/// a child here ([`REFUSED`]).
///
/// # Errors
///
/// It does not start.
pub fn start(run: Run) -> anyhow::Result<Option<Running>> {
    match run.with(trace).start() {
        Err(error) if is_refused(&error) => Ok(None),
        started => started.map(Some),
    }
}

/// The outcome where nobody may trace a child.
pub fn skipped() -> Outcome {
    Outcome::Skipped(REFUSED.into())
}

/// Runs a stopped process to its end or to the bound, and its children ahead of it.
///
/// # Errors
///
/// It has not been started to be traced.
pub fn hold_back(parent: Pid, bound: Duration) -> anyhow::Result<()> {
    let (start, bound) = (Instant::now(), patience(bound));
    wait(parent, start + bound)?.context("the stage does not start")?;
    unless_it_ended(ptrace::setoptions(parent, events() | Options::PTRACE_O_TRACEEXIT))?;
    let mut signal = None;
    loop {
        let_children_run(parent);
        unless_it_ended(ptrace::syscall(parent, signal.take()))?;
        match wait(parent, start + bound)? {
            Some(WaitStatus::PtraceEvent(.., EXIT)) => return let_go(parent),
            Some(WaitStatus::PtraceEvent(.., EXEC)) => {}
            Some(WaitStatus::PtraceEvent(..)) => let_go(new_child(parent)?)?,
            Some(WaitStatus::Stopped(_, arrived)) => signal = Some(arrived),
            Some(_) => {}
            // It sleeps, and can be let go only when it is stopped. What hangs is found out by
            // others.
            None => {
                kill(parent, Signal::SIGSTOP)?;
                waitpid(parent, None)?;
                return let_go(parent);
            }
        }
    }
}

/// A new child stops too. So does the stage at its execve(2): without TRACEEXEC one that executes
/// itself again would get a SIGTRAP.
pub fn events() -> Options {
    Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_EXITKILL
}

/// The new child whose event the process is stopped at; it is stopped too.
pub(crate) fn new_child(parent: Pid) -> anyhow::Result<Pid> {
    let child = ptrace::getevent(parent).context("ptrace: which child?")?;
    let child = Pid::from_raw(child.try_into()?);
    waitpid(child, None).context("wait for a new child to stop")?;
    Ok(child)
}

pub(crate) fn let_go(process: Pid) -> anyhow::Result<()> {
    unless_it_ended(ptrace::detach(process, None))
}

/// A request's result; a process that has been killed meanwhile is no error.
///
/// # Errors
///
/// As ptrace(2), but for ESRCH.
pub fn unless_it_ended(result: nix::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(Errno::ESRCH) => Ok(()),
        result => result.context("ptrace"),
    }
}

/// Waits until no child of the process runs: each waits for another, or has ended.
fn let_children_run(parent: Pid) {
    let start = Instant::now();
    let runs = |child: &Pid| matches!(state(*child), Some('R' | 'D')) || waits_for_time(*child);
    while start.elapsed() < patience(PATIENCE)
        && children_of(parent).unwrap_or_default().iter().any(runs)
    {
        sleep(Duration::from_micros(100));
    }
}

/// Whether it goes on by itself after a while: nobody has to wake it (proc_pid_syscall(5)).
fn waits_for_time(pid: Pid) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let call = text.split(' ').next().and_then(|number| number.parse().ok());
    matches!(call, Some(libc::SYS_nanosleep | libc::SYS_clock_nanosleep))
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
