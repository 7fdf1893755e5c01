// ANCHOR: all
//! What is there to join, and how does one make sure that it is still the same process?

use std::{
    fs::{self, File, OpenOptions},
    io::ErrorKind,
    os::{
        fd::{AsFd, FromRawFd, OwnedFd},
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::PathBuf,
};

use anyhow::{Context, anyhow, ensure};
use ch05_user_idmap::User;
use ch07_cgroup_memory::{
    group::{is_container, join},
    hierarchy::hierarchies_of,
};
use lab::why::CLONE_NEWTIME;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sched::CloneFlags,
    unistd::Pid,
};

use crate::Started;

/// The kinds of namespaces: the flag, and the file in /proc/PID/ns. The user namespace is the
/// first to be joined: it gives the capabilities that the others ask for.
pub const KINDS: [(CloneFlags, &str); 8] = [
    (CloneFlags::CLONE_NEWUSER, "user"),
    (CloneFlags::CLONE_NEWNS, "mnt"),
    (CloneFlags::CLONE_NEWPID, "pid"),
    (CloneFlags::CLONE_NEWUTS, "uts"),
    (CloneFlags::CLONE_NEWIPC, "ipc"),
    (CloneFlags::CLONE_NEWNET, "net"),
    (CloneFlags::CLONE_NEWCGROUP, "cgroup"),
    (CLONE_NEWTIME, "time"),
];

/// A process whose namespaces are to be joined.
///
/// A pid is a number, and may be another process's a moment later. A pidfd is one process for
/// ever: what was read from /proc/PID is that process's if the pidfd says afterwards that it
/// has not ended (pidfd_open(2), Linux 5.3).
pub struct Target {
    process: Started,
    pidfd: OwnedFd,
}

impl Target {
    /// The process that has this pid now.
    ///
    /// # Errors
    ///
    /// None has; /proc is another PID namespace's.
    pub fn with_pid(pid: Pid) -> anyhow::Result<Target> {
        lab::why::own_proc()?;
        let pidfd = open(pid)?;
        let process = Started::now(pid).with_context(|| format!("process {pid} has ended"))?;
        Target { process, pidfd }.still_alive()
    }

    /// This process, and no later one with its pid.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn of(process: Started) -> anyhow::Result<Target> {
        let target = Target::with_pid(process.pid)?;
        ensure!(
            target.process == process,
            "process {} has ended, and the pid is another one's by now",
            process.pid
        );
        Ok(target)
    }

    /// Which process it is.
    pub fn process(&self) -> Started {
        self.process
    }

    /// The descriptor that means this process.
    pub fn pidfd(&self) -> &OwnedFd {
        &self.pidfd
    }

    /// Itself, if it has not ended: to be asked after anything that was found by its pid.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn still_alive(self) -> anyhow::Result<Target> {
        ensure!(!self.has_ended()?, "process {} has ended", self.process.pid);
        Ok(self)
    }

    fn has_ended(&self) -> anyhow::Result<bool> {
        let mut watched = [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)];
        Ok(poll(&mut watched, PollTimeout::ZERO).context("poll the pidfd")? > 0)
    }

    /// One of its files in /proc.
    pub fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.process.pid))
    }

    /// Those of the `wanted` kinds in which it is not where this process is, as flag and file,
    /// in the order of [`KINDS`].
    ///
    /// # Errors
    ///
    /// It is another user's; a wanted kind is not in this kernel.
    pub fn namespaces(&self, wanted: CloneFlags) -> anyhow::Result<Vec<(CloneFlags, PathBuf)>> {
        let mut found = Vec::new();
        for (flag, name) in KINDS.into_iter().filter(|(flag, _)| wanted.contains(*flag)) {
            let file = self.file(&format!("ns/{name}"));
            let Ok(ours) = fs::metadata(format!("/proc/self/ns/{name}")) else {
                continue;
            }; // not in this kernel
            let theirs = fs::metadata(&file).map_err(|error| match error.kind() {
                ErrorKind::NotFound => anyhow!("process {} has ended", self.process.pid), // or nearly
                ErrorKind::PermissionDenied => {
                    anyhow!("process {} is not yours: {error}", self.process.pid)
                }
                _ => anyhow!("stat {}: {error}", file.display()),
            })?;
            if (ours.dev(), ours.ino()) != (theirs.dev(), theirs.ino()) {
                found.push((flag, file));
            }
        }
        Ok(found)
    }

    /// Its user and group, as they are called in its user namespace.
    ///
    /// # Errors
    ///
    /// An id of it is not in the map of its user namespace.
    pub fn user(&self) -> anyhow::Result<User> {
        Ok(User {
            uid: self.id_inside("Uid:", "uid_map")?,
            gid: self.id_inside("Gid:", "gid_map")?,
        })
    }

    /// The effective id. In /proc/PID/status it stands as this process's user namespace has it,
    /// and the map leads from there to the target's.
    fn id_inside(&self, field: &str, map: &str) -> anyhow::Result<u32> {
        let status = self.read("status")?;
        let ids = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
        let id: u32 =
            ids.split_whitespace().nth(1).context("no ids in /proc/PID/status")?.parse()?;
        if self.namespaces(CloneFlags::CLONE_NEWUSER)?.is_empty() {
            return Ok(id); // it is in this process's user namespace
        }
        let map = self.read(map)?;
        let numbers = |line: &str| {
            line.split_whitespace()
                .filter_map(|word| word.parse().ok())
                .collect::<Vec<u32>>()
        };
        let inside = map.lines().map(numbers).find_map(|line| match line[..] {
            [inside, outside, size] => {
                id.checked_sub(outside).filter(|offset| *offset < size).map(|o| inside + o)
            }
            _ => None,
        });
        inside.ok_or_else(|| {
            anyhow!(
                "process {} runs as id {id}, which its user namespace does not map",
                self.process.pid
            )
        })
    }

    fn read(&self, name: &str) -> anyhow::Result<String> {
        let file = self.file(name);
        fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))
    }

    /// Opens its root folder, if that is not the root of its mount namespace (chroot(2)).
    ///
    /// # Errors
    ///
    /// It is another user's.
    pub fn root(&self) -> anyhow::Result<Option<File>> {
        let file = self.file("root");
        let path =
            fs::read_link(&file).with_context(|| format!("read the link {}", file.display()))?;
        if path.as_os_str() == "/" {
            Ok(None)
        } else {
            self.folder("root").map(Some)
        }
    }

    /// Opens its working directory.
    ///
    /// # Errors
    ///
    /// It is another user's.
    pub fn workdir(&self) -> anyhow::Result<File> {
        self.folder("cwd")
    }

    /// O_PATH: to be in a folder takes no permission to read it.
    fn folder(&self, name: &str) -> anyhow::Result<File> {
        let file = self.file(name);
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_PATH | libc::O_DIRECTORY);
        options.open(&file).with_context(|| format!("open {}", file.display()))
    }

    /// Moves process `pid` into the groups that were made for the target's container, if there are
    /// any.
    ///
    /// # Errors
    ///
    /// A group is not ours to write: the command would run without the container's limits.
    pub fn share_groups(&self, pid: Pid) -> anyhow::Result<()> {
        let hierarchies = hierarchies_of(&self.process.pid.to_string())?;
        ensure!(!self.has_ended()?, "process {} has ended", self.process.pid); // so these groups are its own
        for hierarchy in hierarchies {
            // The container may have made groups below its own.
            let mut names = hierarchy.own_group.iter().filter_map(|name| name.to_str());
            if names.any(is_container) {
                join(&hierarchy.own_group, pid).context(
                    "into the container's cgroup, where its limits are (start this where `run` was \
                     started)",
                )?;
            }
        }
        Ok(())
    }
}

fn open(pid: Pid) -> anyhow::Result<OwnedFd> {
    // SAFETY: pidfd_open takes two numbers and returns a new descriptor or an error.
    let number = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    let number = Errno::result(number).map_err(|errno| match errno {
        Errno::ESRCH => anyhow!("there is no process {pid}"),
        Errno::EINVAL | Errno::ENOENT => anyhow!("{pid} is a thread: name its process"),
        Errno::ENOSYS => anyhow!("this kernel has no pidfd_open(2): Linux 5.3 or newer is needed"),
        _ => anyhow!("pidfd_open {pid}: {}", errno.desc()),
    })?;
    // SAFETY: the descriptor is new, so nobody else owns it; it is close-on-exec.
    Ok(unsafe { OwnedFd::from_raw_fd(number as i32) })
}
// ANCHOR_END: all
