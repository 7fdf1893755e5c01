// ANCHOR: identity
//! Which process is it, if pids come back?
//!
//! A pid is a number, and another process may have it a moment later. Three things guarantee more:
//!
//! | what | what it guarantees |
//! |---|---|
//! | the pid | nothing, once its process has been waited for |
//! | with the start time | this process, or one that got its pid within a hundredth of a second |
//! | a pidfd | this process, as long as you have the descriptor |
//! | with a pidfd's inode number (Linux 6.9) | that it is this process, of all since the boot |
//!
//! You cannot write a descriptor into a file, so an entry has the other three.
//! Source: pidfd_open(2), proc_pid_stat(5).

use std::os::fd::{AsFd, OwnedFd};

use ch09_aufs::start_time;
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    unistd::Pid,
};
use rustix::{
    fs::{fstat, fstatfs},
    process::{PidfdFlags, pidfd_open},
};

/// The file system of pidfds since Linux 6.9: there each process has an inode of its own.
const PID_FS_MAGIC: u32 = 0x5049_4446;

/// A process, told from every later one with the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its pid, in this process's PID namespace.
    pub pid: Pid,
    /// When it started, in clock ticks since the boot, as this time namespace counts them.
    pub start: u64,
    /// The inode number of a pidfd of it; 0 before Linux 6.9.
    pub inode: u64,
}

impl Identity {
    /// The process that has this pid now; `None` if none has, or if it has ended.
    pub fn of(pid: Pid) -> Option<Identity> {
        Some(open(pid)?.1)
    }

    /// Whether it has not ended.
    pub fn lives(self) -> bool {
        self.open().is_some()
    }

    /// A descriptor of this very process; `None` if it has ended.
    pub fn open(self) -> Option<OwnedFd> {
        open(self.pid).filter(|(_, now)| *now == self).map(|(pidfd, _)| pidfd)
    }
}

/// A descriptor of the process that has this pid now, and which process that is.
fn open(pid: Pid) -> Option<(OwnedFd, Identity)> {
    // ANCHOR: exercise-open
    let pidfd = pidfd_open(rustix::process::Pid::from_raw(pid.as_raw())?, PidfdFlags::empty());
    let pidfd = pidfd.ok()?;
    let start = start_time(pid.as_raw())?;
    // If it has not ended, no other process had its pid when /proc was read.
    if has_ended(&pidfd) {
        return None;
    }
    // ANCHOR_END: exercise-open
    let is_pidfs = fstatfs(&pidfd).is_ok_and(|system| system.f_type == PID_FS_MAGIC as _);
    let inode = if is_pidfs {
        fstat(&pidfd).ok()?.st_ino
    } else {
        0
    };
    Some((pidfd, Identity { pid, start, inode }))
}

/// Whether the process of a pidfd has ended: then poll(2) reports the pidfd as readable.
pub fn has_ended(pidfd: &OwnedFd) -> bool {
    let mut watched = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    poll(&mut watched, PollTimeout::ZERO) != Ok(0)
}
// ANCHOR_END: identity

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_itself_and_no_other() {
        let myself = Identity::of(Pid::this()).unwrap();
        assert!(myself.lives());
        let other = |change: fn(&mut Identity)| {
            let mut other = myself;
            change(&mut other);
            other.lives()
        };
        assert!(!other(|other| other.start += 1));
        assert!(!other(|other| other.inode += 1));
        assert!(Identity::of(Pid::from_raw(0)).is_none());
    }
}
