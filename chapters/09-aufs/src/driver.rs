// ANCHOR: driver
//! Which union file system puts the layers together, and how is it mounted?

use std::{fmt, fs, path::Path};

use anyhow::{Context, bail};
use ch07_cgroup_memory::base::is_root_outside;
use clap::ValueEnum;
use lab::debug;

use rustix::fs::{MemfdFlags, XattrFlags, fsetxattr, memfd_create, setxattr};

use crate::{aufs, overlay, stack::Stack};

/// A union file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Driver {
    /// Docker's first; it was never taken into the kernel.
    Aufs,
    /// The one that is in the kernel.
    Overlay,
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Driver {
    fn name(self) -> &'static str {
        match self {
            Driver::Aufs => "aufs",
            Driver::Overlay => "overlay",
        }
    }

    /// The driver that you named, or aufs where the kernel has it, else overlay; the log says
    /// which, and why.
    ///
    /// # Errors
    ///
    /// The driver that you named cannot be used here.
    pub fn choose(wanted: Option<Driver>) -> anyhow::Result<Driver> {
        let known = fs::read_to_string("/proc/filesystems").context("read /proc/filesystems")?;
        let has_aufs = known.lines().any(|line| line.ends_with("\taufs"));
        let hindrance = match (has_aufs, is_root_outside()) {
            (false, _) => Some("this kernel has no aufs"),
            (true, false) => Some("the kernel lets only root mount aufs"),
            (true, true) => None,
        };
        match (wanted, hindrance) {
            (Some(Driver::Aufs), Some(reason)) => {
                bail!("--driver aufs: {reason}: use --driver overlay")
            }
            (Some(driver), _) => Ok(driver),
            (None, None) => Ok(Driver::Aufs),
            (None, Some(reason)) => {
                debug!("{reason}: overlay (its whiteout is a device)");
                Ok(Driver::Overlay)
            }
        }
    }

    /// Checks that this driver can go on with a container layer that was kept.
    ///
    /// # Errors
    ///
    /// The other driver wrote it: the two mark deleted files in different ways.
    pub fn require_own(self, layer: &Path) -> anyhow::Result<()> {
        let is_of_aufs = layer.join(".wh..wh.aufs").exists();
        let is_empty = fs::read_dir(layer)
            .with_context(|| format!("read container layer {}", layer.display()))?
            .next()
            .is_none();
        let other = match self {
            Driver::Aufs if !is_of_aufs && !is_empty => Driver::Overlay,
            Driver::Overlay if is_of_aufs => Driver::Aufs,
            _ => return Ok(()),
        };
        bail!(
            "container layer {}: {self} did not write it: use --driver {other}, or another folder",
            layer.display()
        )
    }

    /// Checks that the file system of `folder` can store the attributes that this driver writes.
    /// Overlay mounts without them, and fails when a deleted folder is made again.
    ///
    /// # Errors
    ///
    /// It cannot.
    pub fn require_attributes(self, folder: &Path) -> anyhow::Result<()> {
        let attribute = overlay::opaque();
        let set = || setxattr(folder, attribute, b"y", XattrFlags::empty());
        if let (Driver::Overlay, Err(errno)) = (self, set()) {
            bail!(
                "the file system of {} cannot store overlay's attributes ({attribute}: {errno}): \
                 put --container-layer on another (ext4, xfs, btrfs; tmpfs since Linux 6.6)",
                folder.display()
            );
        }
        Ok(())
    }

    /// Whether a tmpfs can store those attributes (an ordinary user's: since Linux 6.6).
    ///
    /// # Errors
    ///
    /// As memfd_create(2).
    pub fn fits_in_memory(self) -> anyhow::Result<bool> {
        // A memfd is a file of a tmpfs.
        let file = memfd_create("probe", MemfdFlags::CLOEXEC).context("memfd_create")?;
        let set = fsetxattr(file, overlay::opaque(), b"y", XattrFlags::empty());
        Ok(self == Driver::Aufs || set.is_ok())
    }

    /// Mounts the stack. No device and no set-user-ID program of an image works in it.
    ///
    /// # Errors
    ///
    /// The kernel refuses it, or takes fewer or shorter paths.
    pub fn mount(self, stack: &Stack) -> anyhow::Result<()> {
        match self {
            Driver::Aufs => aufs::mount(stack),
            Driver::Overlay => overlay::mount(stack),
        }
    }
}
// ANCHOR_END: driver
