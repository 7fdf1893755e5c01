//! How does init become the command, with nothing of the runtime's left?

use std::{convert::Infallible, fs, os::fd::RawFd};

use anyhow::Context;
use ch05_user_idmap::become_user;
use lab::{
    exec::{become_command, prepare},
    voice,
};
use nix::{errno::Errno, sys::prctl, unistd::close};

use crate::message::Process;

/// Becomes the command: as its user, with its environment only, and with no way
/// to gain privileges. The command is looked up in the container's own PATH and root.
///
/// # Errors
///
/// As [`lab::exec()`], and what the preparations fail with.
pub fn become_container(process: &Process) -> anyhow::Result<Infallible> {
    if let Some(user) = process.user {
        become_user(user)?;
    }
    // From now on no execve(2) gives a privilege, not even that of a set-user-ID program.
    prctl::set_no_new_privs().context("prctl PR_SET_NO_NEW_PRIVS")?;
    let mut command = prepare(&process.argv);
    command.env_clear();
    command.envs(process.env.iter().map(|(name, value)| (name, value)));
    become_command(command)
}

/// Closes every descriptor above 2 but those in `kept` and the way of an error to the parent,
/// and leaves the caller's session keyring. One that is left open into the host is a way out of the
/// container (CVE-2024-21626), from the command or from a PID 1 that stays.
///
/// # Errors
///
/// /proc is not mounted.
pub fn leave_the_caller(kept: &[RawFd]) -> anyhow::Result<()> {
    let entries = fs::read_dir("/proc/self/fd").context("read /proc/self/fd")?;
    let numbers: Vec<RawFd> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    let stays = |number: &RawFd| {
        *number <= 2 || Some(*number) == voice::error_pipe_number() || kept.contains(number)
    };
    for number in numbers.into_iter().filter(|number| !stays(number)) {
        // The number that the folder itself had is closed already: EBADF.
        let _ = close(number);
    }
    // SAFETY: keyctl takes numbers here: a new, anonymous session keyring (keyctl(2)).
    let joined = unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0) };
    match Errno::result(joined) {
        // A kernel without keys, or a container that forbids the call, has none to give away.
        Ok(_) | Err(Errno::ENOSYS | Errno::EPERM) => Ok(()),
        Err(errno) => Err(errno).context("keyctl KEYCTL_JOIN_SESSION_KEYRING"),
    }
}

const KEYCTL_JOIN_SESSION_KEYRING: libc::c_int = 1;
