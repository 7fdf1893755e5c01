//! What does `exec` do whose target ends in between, while its pid is given to another process?
//!
//! Between two system calls of a process that rarely happens by itself. So CHILD is stopped at one
//! of its system calls (ptrace(2)), between the one that found the target and those that go by its
//! pid.

use std::{
    fs, mem,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nix::{
    errno::Errno,
    sys::{
        ptrace::{self, Options},
        signal::{Signal, kill},
        wait::{WaitStatus, waitpid},
    },
    unistd::Pid,
};

use crate::{
    patience,
    slow::{EXEC, EXIT, events, let_go, new_child, unless_it_ended, wait},
};

/// A system call and its arguments.
type Call = libc::__c_anonymous_ptrace_syscall_info_entry;

/// A process in a UTS namespace of its own, which sleeps; killed when it is dropped.
pub struct Sleeper(Pid);

/// The arguments of clone3(2), up to `set_tid_size`.
#[repr(C, align(8))]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
}

impl Sleeper {
    /// One with any pid, or with this one.
    ///
    /// # Errors
    ///
    /// EPERM if this process may not choose a pid; EEXIST if it is taken.
    pub fn new(pid: Option<Pid>) -> nix::Result<Sleeper> {
        let wanted = pid.map_or(0, Pid::as_raw);
        let mut arguments = CloneArguments {
            flags: libc::CLONE_NEWUTS as u64,
            exit_signal: libc::SIGCHLD as u64,
            ..CloneArguments::default()
        };
        if pid.is_some() {
            arguments.set_tid = &raw const wanted as u64;
            arguments.set_tid_size = 1;
        }
        let size = mem::size_of::<CloneArguments>();
        // SAFETY: as fork(2): nothing is shared, and no stack is given. `set_tid` points to one
        // pid, which lives as long as the call.
        let cloned = unsafe { libc::syscall(libc::SYS_clone3, &raw const arguments, size) };
        match Errno::result(cloned)? {
            // SAFETY: neither call takes a pointer or a lock, and the loop does nothing else.
            0 => unsafe {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                loop {
                    libc::pause();
                }
            },
            pid => Ok(Sleeper(Pid::from_raw(pid as i32))),
        }
    }

    /// Its pid.
    pub fn pid(&self) -> Pid {
        self.0
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        if kill(self.0, Signal::SIGKILL).is_ok() {
            let _ = waitpid(self.0, None);
        }
    }
}

/// Runs a stage that was stopped at its start ([`crate::slow::start`]) until its first child makes
/// a prctl(2) with this option, does `action` meanwhile, and lets both go on.
///
/// # Errors
///
/// `action`'s; or the child makes no such call.
pub fn while_child_is_at(
    parent: Pid,
    option: libc::c_int,
    bound: Duration,
    action: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + patience(bound);
    let child = first_child(parent, deadline)?;
    while_at(child, deadline, is_prctl(option), |_| action())
}

/// Likewise, until the first child opens this file.
///
/// # Errors
///
/// As [`while_child_is_at`].
pub fn while_child_opens(
    parent: Pid,
    file: &str,
    bound: Duration,
    action: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + patience(bound);
    let child = first_child(parent, deadline)?;
    let opens = |call: Call| Ok(opened_by(child, call)?.is_some_and(|name| name == file));
    while_at(child, deadline, opens, |_| action())
}

/// Runs a stage that was stopped at its start until it enters a system call for whose number
/// `is_it` is true, does `action` meanwhile, and lets it go on. `false`: it has ended without one.
///
/// # Errors
///
/// `action`'s; or it does neither.
pub fn while_it_is_at(
    stage: Pid,
    bound: Duration,
    mut is_it: impl FnMut(libc::c_long) -> bool,
    action: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<bool> {
    let deadline = Instant::now() + patience(bound);
    wait(stage, deadline)?.context("the stage does not start")?;
    let ends = Options::PTRACE_O_TRACEEXIT;
    unless_it_ended(ptrace::setoptions(stage, events() | ends))?;
    let mut signal = None;
    loop {
        unless_it_ended(ptrace::syscall(stage, signal.take()))?;
        match wait(stage, deadline)?.context("the stage hangs")? {
            WaitStatus::PtraceSyscall(_) => {
                if entered(stage)?.is_some_and(|call| is_it(call.nr as libc::c_long)) {
                    break;
                }
            }
            WaitStatus::PtraceEvent(.., EXIT) => {
                let_go(stage)?;
                return Ok(false);
            }
            WaitStatus::PtraceEvent(.., EXEC) => {}
            WaitStatus::PtraceEvent(..) => let_go(new_child(stage)?)?,
            WaitStatus::Stopped(_, arrived) => signal = Some(arrived),
            other => bail!("the stage has ended: {other:?}"),
        }
    }
    let done = action();
    let_go(stage)?;
    done.map(|()| true)
}

/// Likewise, until the child of that child makes it: the INIT of an `exec`. The
/// action gets its pid.
///
/// # Errors
///
/// As [`while_child_is_at`].
pub fn while_init_is_at(
    parent: Pid,
    option: libc::c_int,
    bound: Duration,
    action: impl FnOnce(Pid) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + patience(bound);
    let child = first_child(parent, deadline)?;
    let init = next_child(child, deadline, |_| true)?;
    while_at(init, deadline, is_prctl(option), action)
}

/// Likewise, until the container's PID 1 makes it: the keeper's child in another PID namespace.
///
/// # Errors
///
/// As [`while_child_is_at`].
pub fn while_pid_1_is_at(
    parent: Pid,
    option: libc::c_int,
    bound: Duration,
    action: impl FnOnce(Pid) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + patience(bound);
    let keeper = first_child(parent, deadline)?;
    let of = |pid: Pid| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let pid_1 = next_child(keeper, deadline, |child| of(child) != of(keeper))?;
    while_at(pid_1, deadline, is_prctl(option), action)
}

/// Runs a stopped process until it is about to make such a call.
fn while_at(
    process: Pid,
    deadline: Instant,
    is_it: impl Fn(Call) -> anyhow::Result<bool>,
    action: impl FnOnce(Pid) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut signal = None;
    loop {
        unless_it_ended(ptrace::syscall(process, signal.take()))?;
        match wait(process, deadline)?.context("the child makes no such call")? {
            WaitStatus::PtraceSyscall(_) => {
                if entered(process)?.map(&is_it).transpose()? == Some(true) {
                    break;
                }
            }
            WaitStatus::PtraceEvent(.., EXEC) => {}
            WaitStatus::PtraceEvent(..) => let_go(new_child(process)?)?,
            WaitStatus::Stopped(_, arrived) => signal = Some(arrived),
            _ => bail!("the child has ended without such a call"),
        }
    }
    let done = action(process);
    let_go(process)?;
    done
}

/// The first child of a process that was stopped at its start. The child is stopped then, and the
/// process goes on.
fn first_child(parent: Pid, deadline: Instant) -> anyhow::Result<Pid> {
    wait(parent, deadline)?.context("the stage does not start")?;
    unless_it_ended(ptrace::setoptions(parent, events()))?;
    next_child(parent, deadline, |_| true)
}

/// The next such child of a traced process that is stopped; then this goes on, and the child is
/// stopped.
fn next_child(parent: Pid, deadline: Instant, is_it: impl Fn(Pid) -> bool) -> anyhow::Result<Pid> {
    let mut signal = None;
    let child = loop {
        unless_it_ended(ptrace::cont(parent, signal.take()))?;
        match wait(parent, deadline)?.context("the stage clones no child")? {
            WaitStatus::PtraceEvent(.., EXEC) => {}
            WaitStatus::PtraceEvent(..) => {
                let child = new_child(parent)?;
                if is_it(child) {
                    break child;
                }
                let_go(child)?;
            }
            WaitStatus::Stopped(_, arrived) => signal = Some(arrived),
            other => bail!("the stage has ended without a child: {other:?}"),
        }
    };
    let_go(parent)?;
    Ok(child)
}

/// Whether a call is a prctl(2) with this option.
fn is_prctl(option: libc::c_int) -> impl Fn(Call) -> anyhow::Result<bool> {
    move |call| Ok(call.nr == libc::SYS_prctl as u64 && call.args[0] == option as u64)
}

/// The name of the file that a process is about to open; `None` if it makes another call.
fn opened_by(process: Pid, call: Call) -> anyhow::Result<Option<String>> {
    let mut place = match call.nr as libc::c_long {
        libc::SYS_openat => call.args[1],
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => call.args[0],
        _ => return Ok(None),
    };
    let mut name = Vec::new();
    loop {
        let word = ptrace::read(process, place as ptrace::AddressType).context("ptrace: a path")?;
        for byte in word.to_ne_bytes() {
            match byte {
                0 => return Ok(Some(String::from_utf8_lossy(&name).into_owned())),
                byte => name.push(byte),
            }
        }
        place += size_of_val(&word) as u64;
    }
}

/// The call that a process that has stopped at a system call is about to make; `None` if it has
/// made it.
fn entered(pid: Pid) -> anyhow::Result<Option<Call>> {
    let info = ptrace::syscall_info(pid).context("ptrace: which system call?")?;
    if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return Ok(None);
    }
    // SAFETY: `op` says that this is the field of the union that was written.
    Ok(Some(unsafe { info.u.entry }))
}
