//! What does the kernel say of a process?
//!
//! The judge's own eyes: nothing here comes from the stages that are judged.

use std::{
    fs,
    os::fd::{AsFd, FromRawFd, OwnedFd},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    unistd::Pid,
};

/// The fields of /proc/PID/stat after the name, the state first; `None` if there is no such
/// process (proc_pid_stat(5)). The name may have spaces and brackets.
fn fields(pid: Pid) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

/// The letter of its state: R, S, D, T, Z, …; `None` if it has ended, and was waited for.
pub fn state(pid: Pid) -> Option<char> {
    fields(pid)?.first()?.chars().next()
}

/// The states of its threads.
pub fn threads(pid: Pid) -> Vec<char> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let state_of = |name: String| state(Pid::from_raw(name.parse().ok()?));
    tasks
        .filter_map(|task| state_of(task.file_name().to_string_lossy().into_owned()))
        .collect()
}

/// Whether it has ended: it is a zombie, or not there any more.
pub fn has_ended(pid: Pid) -> bool {
    matches!(state(pid), None | Some('Z' | 'X'))
}

/// When it started, in clock ticks since boot.
///
/// # Errors
///
/// There is no such process.
pub fn start_time(pid: Pid) -> anyhow::Result<u64> {
    let fields = fields(pid).with_context(|| format!("there is no process {pid}"))?;
    fields
        .get(19)
        .context("/proc/PID/stat is too short")?
        .parse()
        .context("a start time")
}

/// Its session, and the number of the session's terminal: 0 if it has none. (Terminals of
/// different devpts can have the same number.)
///
/// # Errors
///
/// There is no such process.
pub fn session_of(pid: Pid) -> anyhow::Result<(Pid, i32)> {
    let fields = fields(pid).with_context(|| format!("there is no process {pid}"))?;
    let number = |index: usize| -> anyhow::Result<i32> {
        Ok(fields.get(index).context("/proc/PID/stat is too short")?.parse()?)
    };
    Ok((Pid::from_raw(number(3)?), number(4)?))
}

/// The name of a process, as ps(1) shows it; empty if it has ended.
pub fn name(pid: Pid) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

/// A field of /proc/PID/status, such as `NSpid`.
///
/// # Errors
///
/// There is no such process, or no such field.
pub fn status(pid: Pid, field: &str) -> anyhow::Result<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("read the status of {pid}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    Ok(line
        .with_context(|| format!("no {field} in /proc/PID/status"))?
        .trim()
        .to_owned())
}

/// The pids of a process's children (proc_tid_children(5)).
///
/// # Errors
///
/// There is no such process.
pub fn children_of(pid: Pid) -> anyhow::Result<Vec<Pid>> {
    let file = format!("/proc/{pid}/task/{pid}/children");
    let text = fs::read_to_string(file).context("read the list of children")?;
    text.split_whitespace().map(|pid| Ok(Pid::from_raw(pid.parse()?))).collect()
}

/// Waits so long for the end of a process, which its parent then reaps (pidfd_open(2)). One that
/// its parent has reaped already has ended, too.
///
/// # Errors
///
/// As poll(2).
pub fn wait_for_end(pid: Pid, at_most: Duration) -> anyhow::Result<bool> {
    // SAFETY: pidfd_open takes two numbers and returns a new descriptor or an error.
    let number = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    let number = match Errno::result(number) {
        Err(Errno::ESRCH) => return Ok(true),
        number => number.context("pidfd_open")?,
    };
    // SAFETY: the descriptor is new, so nothing else owns it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(number as i32) };
    let mut watched = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    let start = Instant::now();
    // The clock decides, and not one return of poll(2).
    while poll(&mut watched, PollTimeout::try_from(at_most.saturating_sub(start.elapsed()))?)? == 0
    {
        if start.elapsed() >= at_most {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A process that was sent SIGKILL ends, or an error says what it does instead.
///
/// # Errors
///
/// As poll(2); it goes on.
pub fn killed(pid: Pid, at_most: Duration) -> anyhow::Result<()> {
    let start = Instant::now();
    if wait_for_end(pid, at_most)? {
        return Ok(());
    }
    let waits_in = fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap_or_default();
    bail!(
        "SIGKILL does not end {pid} in {elapsed:?}: its state is {state:?}, and it waits in \
         {waits_in:?}",
        elapsed = start.elapsed(),
        state = state(pid)
    )
}
