// ANCHOR: target
//! What is there to join, and is it still the same process?

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    os::{
        fd::OwnedFd,
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::PathBuf,
};

use anyhow::{Context, anyhow, ensure};
use ch05_user_idmap::{MapLine, User};
use ch07_cgroup_memory::base::is_container;
use ch07_cgroup_memory::{group::join, hierarchy::hierarchies_of};
use ch10_names::{Identity, has_ended};
use lab::{Kind, Namespaces, diagnose::require_own_proc};
use nix::unistd::Pid;

/// A process whose namespaces you join.
///
/// What was read from /proc/PID was about this process if it has not ended afterwards: see
/// [`Target::still_alive`].
pub struct Target {
    process: Identity,
    pidfd: OwnedFd,
}

impl Target {
    /// The process that has this pid now.
    ///
    /// # Errors
    ///
    /// There is none; /proc is another PID namespace's.
    pub fn with_pid(pid: Pid) -> anyhow::Result<Target> {
        require_own_proc()?;
        let process = Identity::of(pid)
            .with_context(|| format!("there is no process {pid}, or it has ended"))?;
        Target::of(process)
    }

    /// This process, and no later one with its pid.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn of(process: Identity) -> anyhow::Result<Target> {
        require_own_proc()?;
        let pidfd = process.open().with_context(|| {
            format!("process {} has ended, and perhaps another one has its pid", process.pid)
        })?;
        Ok(Target { process, pidfd })
    }

    /// Which process it is.
    pub fn process(&self) -> Identity {
        self.process
    }

    /// The descriptor that means this process.
    pub fn pidfd(&self) -> &OwnedFd {
        &self.pidfd
    }

    /// Itself, if it has not ended. Call it after you have found anything by its pid.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn still_alive(self) -> anyhow::Result<Target> {
        ensure!(!has_ended(&self.pidfd), "process {} has ended", self.process.pid);
        Ok(self)
    }

    /// One of its files in /proc.
    fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.process.pid))
    }

    fn refused(&self, file: &str, error: &io::Error) -> anyhow::Error {
        let pid = self.process.pid;
        match error.kind() {
            ErrorKind::NotFound => anyhow!("process {pid} has ended"), // or nearly
            ErrorKind::PermissionDenied => anyhow!("process {pid} is not yours: {error}"),
            _ if error.raw_os_error() == Some(libc::ESTALE) => {
                anyhow!("the {file} of process {pid} was deleted: use --workdir /")
            }
            _ => anyhow!("{}: {error}", self.file(file).display()),
        }
    }
}
// ANCHOR_END: target

// ANCHOR: namespaces
impl Target {
    /// The namespaces in which it is and this process is not, with the files in /proc that lead to
    /// them, in the order in which they are joined.
    ///
    /// # Errors
    ///
    /// It is another user's.
    pub fn other_namespaces(&self, wanted: Namespaces) -> anyhow::Result<Vec<(Kind, PathBuf)>> {
        let mut found = Vec::new();
        for kind in wanted.kinds() {
            let name = format!("ns/{}", kind.file());
            let Ok(own) = fs::metadata(format!("/proc/self/{name}")) else {
                continue; // this kernel has no such kind
            };
            let file = self.file(&name);
            let other = fs::metadata(&file).map_err(|error| self.refused(&name, &error))?;
            if (own.dev(), own.ino()) != (other.dev(), other.ino()) {
                found.push((kind, file));
            }
        }
        Ok(found)
    }

    /// Whether it is in another namespace of this kind than this process.
    ///
    /// # Errors
    ///
    /// As [`Target::other_namespaces`].
    pub fn is_apart(&self, kind: Kind) -> anyhow::Result<bool> {
        Ok(!self.other_namespaces(Namespaces::of(kind))?.is_empty())
    }
}
// ANCHOR_END: namespaces

// ANCHOR: user
impl Target {
    /// Its user and group, as its user namespace calls them.
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

    /// Its user and group, as this process's user namespace calls them.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn user_outside(&self) -> anyhow::Result<User> {
        Ok(User {
            uid: self.id_outside("Uid:")?,
            gid: self.id_outside("Gid:")?,
        })
    }

    /// The effective id, in /proc/PID/status.
    fn id_outside(&self, field: &str) -> anyhow::Result<u32> {
        let status = self.read("status")?;
        let ids = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
        Ok(ids.split_whitespace().nth(1).context("no ids in its status")?.parse()?)
    }

    /// The same id, as the target's map translates it.
    fn id_inside(&self, field: &str, map: &str) -> anyhow::Result<u32> {
        let id = self.id_outside(field)?;
        if !self.is_apart(Kind::User)? {
            return Ok(id);
        }
        let lines = MapLine::of_file(&self.read(map)?);
        let inside = lines.iter().find_map(|line| {
            let offset = id.checked_sub(line.outside).filter(|offset| *offset < line.size)?;
            Some(line.inside + offset)
        });
        let pid = self.process.pid;
        inside.with_context(|| {
            format!("process {pid} runs as id {id}, which its map does not have: use --as UID:GID")
        })
    }

    fn read(&self, name: &str) -> anyhow::Result<String> {
        let bytes = fs::read(self.file(name)).map_err(|error| self.refused(name, &error))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned()) // a program's name may be no UTF-8
    }
}
// ANCHOR_END: user

// ANCHOR: place
impl Target {
    /// Opens its root folder, if that is not the root of its mount namespace (chroot(2)).
    ///
    /// # Errors
    ///
    /// It is another user's.
    pub fn root(&self) -> anyhow::Result<Option<File>> {
        let path =
            fs::read_link(self.file("root")).map_err(|error| self.refused("root", &error))?;
        if path.as_os_str() == "/" {
            Ok(None)
        } else {
            self.folder("root").map(Some)
        }
    }

    /// Opens its root folder, to look something up there.
    ///
    /// # Errors
    ///
    /// It is another user's.
    pub fn root_folder(&self) -> anyhow::Result<File> {
        self.folder("root")
    }

    /// Opens its working directory.
    ///
    /// # Errors
    ///
    /// It is another user's, or was deleted.
    pub fn workdir(&self) -> anyhow::Result<File> {
        self.folder("cwd")
    }

    /// O_PATH: to go to a folder takes no permission to read it.
    fn folder(&self, name: &str) -> anyhow::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_PATH | libc::O_DIRECTORY);
        options.open(self.file(name)).map_err(|error| self.refused(name, &error))
    }

    /// Moves process `pid` to where the target is in the groups of its container, if it has any.
    ///
    /// # Errors
    ///
    /// A group is not ours to write: the command would run without the container's limits.
    pub fn share_groups(&self, pid: Pid) -> anyhow::Result<()> {
        let hierarchies = hierarchies_of(&self.process.pid.to_string())?;
        ensure!(!has_ended(&self.pidfd), "process {} has ended", self.process.pid);
        for hierarchy in hierarchies {
            // The container may have made groups below its own.
            let mut names = hierarchy.group.iter().filter_map(|name| name.to_str());
            if names.any(is_container) {
                join(&hierarchy.group, pid).context(
                    "move INIT into the container's cgroup (start `exec` where you started `run`)",
                )?;
            }
        }
        Ok(())
    }
}
// ANCHOR_END: place
