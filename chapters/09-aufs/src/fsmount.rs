// ANCHOR: fsmount
//! How is a file system mounted option by option?
//!
//! mount(2) takes all options as one string of at most a page, with commas between them. The newer
//! calls take them one at a time: fsopen(2) begins, fsconfig(2) sets an option, fsmount(2) makes
//! the mount, move_mount(2) attaches it. If they refuse, you can read the reason.

use std::{
    fs::File,
    io::Read,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use anyhow::anyhow;
use rustix::{
    fs::CWD,
    io::Errno,
    mount::{
        FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, fsconfig_create,
        fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount,
    },
};

/// A file system that is being configured.
pub(crate) struct Filesystem {
    kind: &'static str,
    context: OwnedFd,
}

impl Filesystem {
    /// Begins with a file system of this kind, such as `overlay`.
    pub(crate) fn open(kind: &'static str) -> Result<Filesystem, Errno> {
        let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
        Ok(Filesystem { kind, context })
    }

    /// Sets an option. The kernel takes at most 255 bytes here.
    pub(crate) fn set(&self, key: &str, value: &Path) -> anyhow::Result<()> {
        fsconfig_set_string(self.context.as_fd(), key, value)
            .map_err(|errno| self.refused(&format!("{key} = {}", value.display()), errno))
    }

    /// Sets an option without a value.
    pub(crate) fn set_flag(&self, key: &str) -> anyhow::Result<()> {
        fsconfig_set_flag(self.context.as_fd(), key).map_err(|errno| self.refused(key, errno))
    }

    /// Makes the mount, with these attributes, and attaches it to the folder `at`.
    pub(crate) fn mount(self, at: &Path, attributes: MountAttrFlags) -> anyhow::Result<()> {
        fsconfig_create(self.context.as_fd()).map_err(|errno| self.refused("create", errno))?;
        let mount = fsmount(self.context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)
            .map_err(|errno| self.refused("fsmount", errno))?;
        move_mount(mount, "", CWD, at, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
            .map_err(|errno| self.refused(&format!("move_mount to {}", at.display()), errno))
    }

    fn refused(&self, what: &str, errno: Errno) -> anyhow::Error {
        anyhow!("{}: {what}: {errno}{}", self.kind, self.reasons())
    }

    /// The kernel's reasons for a refusal: messages `e TEXT`; each read(2) of the context returns
    /// one.
    fn reasons(&self) -> String {
        let Ok(mut context) = self.context.try_clone().map(File::from) else {
            return String::new();
        };
        let (mut reasons, mut message) = (String::new(), [0; 256]);
        while let Ok(length @ 1..) = context.read(&mut message) {
            let text = String::from_utf8_lossy(&message[..length]);
            let text = text.trim();
            reasons += &format!(" ({})", text.strip_prefix("e ").unwrap_or(text));
        }
        reasons
    }
}
// ANCHOR_END: fsmount
