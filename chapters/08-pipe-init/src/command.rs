//! How does init become the command, with nothing of the runtime's left?

use std::{convert::Infallible, fs, os::fd::BorrowedFd};

use anyhow::Context;
use ch05_user_idmap::become_user;
use lab::exec::{become_command, prepare};
use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::prctl,
};

use crate::Message;

/// Becomes the message's command: as its user, with its environment only, with no way to
/// gain privileges, and with no descriptor but 0, 1 and 2. The command is looked up in
/// the container's own PATH and root.
///
/// # Errors
///
/// As [`lab::exec()`], and what the preparations fail with.
pub fn become_container(message: &Message) -> anyhow::Result<Infallible> {
    if let Some(user) = message.user {
        become_user(user)?;
    }
    // From now on no execve(2) gives a privilege, not even that of a set-user-ID program.
    prctl::set_no_new_privs().context("prctl PR_SET_NO_NEW_PRIVS")?;
    close_on_exec()?;
    let mut command = prepare(&message.argv);
    command.env_clear();
    command.envs(message.env.iter().map(|(name, value)| (name, value)));
    become_command(command)
}

/// Marks every descriptor above 2 close-on-exec, ours and those that we inherited: one
/// that is left open into the host is a way out of the container (CVE-2024-21626).
fn close_on_exec() -> anyhow::Result<()> {
    for entry in fs::read_dir("/proc/self/fd").context("read /proc/self/fd")? {
        let name = entry.context("read /proc/self/fd")?.file_name();
        let Some(number) = name.to_str().and_then(|name| name.parse().ok()).filter(|number| *number > 2) else {
            continue;
        };
        // SAFETY: the descriptor was open when the folder was read, nobody closes one
        // meanwhile, and it is borrowed for this call only.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).with_context(|| format!("close {number} on exec"))?;
    }
    Ok(())
}
