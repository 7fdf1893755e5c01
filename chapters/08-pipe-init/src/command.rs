//! How does init become the command, with nothing of the caller's left?

use std::ptr::null;

use anyhow::Context;
use ch05_user_idmap::become_user;
use lab::Program;
use nix::{errno::Errno, sys::prctl};

use crate::{message::Process, take_streams};

/// Becomes the command: with its own streams, user and environment, without the caller's keys and
/// with no way to gain privileges. The command is looked up in the container's PATH and root.
///
/// # Errors
///
/// The map does not contain the user; as prctl(2) and keyctl(2).
pub fn become_container(process: &Process) -> anyhow::Result<Program> {
    take_streams()?;
    leave_the_keyring()?;
    if let Some(user) = process.user {
        become_user(user)?;
    }
    // From now on no execve(2) gives a privilege, not even the owner's, of a set-user-ID program.
    prctl::set_no_new_privs().context("prctl PR_SET_NO_NEW_PRIVS")?;
    Ok(program(process))
}

/// The command, with its own environment and nothing else.
pub fn program(process: &Process) -> Program {
    let mut program = Program::command(&process.argv);
    program.command.env_clear();
    program.command.envs(process.env.iter().map(|(name, value)| (name, value)));
    program
}

/// Leaves the session keyring, which clone(2) and execve(2) keep: its keys are the caller's
/// (session-keyring(7)).
///
/// # Errors
///
/// As keyctl(2).
pub fn leave_the_keyring() -> anyhow::Result<()> {
    let anonymous = null::<libc::c_char>();
    // SAFETY: keyctl takes a number here, and a null in place of the new keyring's name.
    let joined =
        unsafe { libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, anonymous) };
    match Errno::result(joined) {
        // ENOSYS: a kernel without keys. EPERM: a sandbox, which does not let us read them either.
        Ok(_) | Err(Errno::ENOSYS | Errno::EPERM) => Ok(()),
        Err(errno) => Err(errno).context("keyctl KEYCTL_JOIN_SESSION_KEYRING"),
    }
}
