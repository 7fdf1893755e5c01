// ANCHOR: descriptors
//! Which descriptors cross an execve(2), and how does the program on the other side find them?
//!
//! All that Rust opens is close-on-exec. So a process hands a descriptor on by clearing that mark
//! and writing its number, with a name, into one environment variable. The program that is
//! executed takes it over by that name, once. All others that it has inherited, above 2, it marks
//! close-on-exec: a descriptor of a folder is a way into that folder from any root, so the command
//! gets none of the caller's.

use std::{
    env,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd},
    process::Command,
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, fcntl},
};

/// The environment variable: `NAME=NUMBER`, several with a space between them.
pub const VARIABLE: &str = "LAB_DESCRIPTORS";

/// Leaves the descriptor open for the program that `command` executes, which takes it over as
/// `name`. To be called in the process that executes it: others would leave it open, too.
///
/// # Errors
///
/// As fcntl(2) F_SETFD.
pub(crate) fn hand_over(
    command: &mut Command,
    name: &str,
    descriptor: impl AsFd,
) -> anyhow::Result<()> {
    let descriptor = descriptor.as_fd();
    fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::empty())).context("leave a descriptor open")?;
    let one = format!("{name}={}", descriptor.as_raw_fd());
    let before = command.get_envs().find(|(variable, _)| *variable == VARIABLE);
    let before = before.and_then(|(_, value)| value?.to_str()).map(str::to_owned);
    command.env(VARIABLE, before.map_or(one.clone(), |before| format!("{before} {one}")));
    Ok(())
}

/// What was handed over to this process, and nobody has taken yet.
static INHERITED: Mutex<Vec<(String, OwnedFd)>> = Mutex::new(Vec::new());

/// Takes a descriptor that was handed over to this process; `None` if there is none of this name,
/// or no longer.
pub fn take(name: &str) -> Option<OwnedFd> {
    let mut inherited = INHERITED.lock().unwrap_or_else(PoisonError::into_inner);
    let index = inherited.iter().position(|(other, _)| other == name)?;
    Some(inherited.swap_remove(index).1)
}

/// Takes over what was handed to this process, and closes the rest for the next execve(2).
///
/// # Errors
///
/// The kernel refuses both ways to mark descriptors.
pub(crate) fn inherit() -> anyhow::Result<()> {
    let text = env::var(VARIABLE).unwrap_or_default();
    let own = named(&text).filter_map(|(name, number)| Some((name.to_owned(), own(number)?)));
    INHERITED.lock().unwrap_or_else(PoisonError::into_inner).extend(own);
    close_on_exec()
}

fn named(text: &str) -> impl Iterator<Item = (&str, RawFd)> {
    let pairs = text.split(' ').filter_map(|one| one.split_once('='));
    pairs.filter_map(|(name, number)| Some((name, number.parse().ok()?)))
}

/// The owner of an inherited descriptor. `None` if the number was typed: it is not open, or is
/// owned in this process already.
fn own(number: RawFd) -> Option<OwnedFd> {
    if number <= 2 {
        return None;
    }
    // SAFETY: F_GETFD takes a number and touches no memory.
    let flags = Errno::result(unsafe { libc::fcntl(number, libc::F_GETFD) }).ok()?;
    if flags & libc::FD_CLOEXEC != 0 {
        return None;
    }
    // SAFETY: it is open, and not close-on-exec: so it crossed an execve(2), and nothing in this
    // process opened it (all that Rust opens is close-on-exec). From here on it is close-on-exec
    // itself, so that no second owner can be made.
    unsafe {
        libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC);
        Some(OwnedFd::from_raw_fd(number))
    }
}

/// Marks all descriptors above 2, in one call: close_range(2).
fn close_on_exec() -> anyhow::Result<()> {
    // SAFETY: close_range takes numbers, and with this flag it closes nothing.
    let marked = unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    };
    match Errno::result(marked) {
        Err(Errno::ENOSYS | Errno::EINVAL) => one_by_one(), // the flag came with Linux 5.11
        other => other.map(drop).context("close_range: mark all descriptors close-on-exec"),
    }
}

fn one_by_one() -> anyhow::Result<()> {
    let entries = std::fs::read_dir("/proc/self/fd").context("read /proc/self/fd")?;
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    for number in numbers.filter(|number: &RawFd| *number > 2).collect::<Vec<_>>() {
        // SAFETY: F_SETFD takes two numbers; on the one that the folder itself had it fails, with
        // EBADF.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    Ok(())
}
// ANCHOR_END: descriptors

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn what_this_process_opened_has_no_second_owner() {
        let file = File::open("/dev/null").unwrap();
        assert!(own(file.as_raw_fd()).is_none());
        assert!(own(0).is_none() && own(1 << 20).is_none());
    }

    #[test]
    fn what_was_left_open_is_owned_once() {
        let file = File::open("/dev/null").unwrap();
        let mut command = Command::new("true");
        hand_over(&mut command, "null", &file).unwrap();
        hand_over(&mut command, "again", &file).unwrap();
        let number = file.as_raw_fd();
        let (_, value) = command.get_envs().find(|(name, _)| *name == VARIABLE).unwrap();
        assert_eq!(value.unwrap().to_str().unwrap(), format!("null={number} again={number}"));
        std::mem::forget(file); // as execve(2) does
        let owner = own(number).unwrap();
        assert!(own(number).is_none());
        drop(owner);
    }
}
