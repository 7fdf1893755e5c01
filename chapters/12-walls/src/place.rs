// ANCHOR: place
//! How is a name in an image looked up, so that it cannot lead out of it?
//!
//! An image's author chooses what is in it: `dev` may be a link to the host's /dev, or a fifo at
//! which an open(2) waits. So this looks a name up in an open folder, follows no link, and opens
//! nothing but the place itself (O_PATH). What is done then is done to that place, whatever its
//! name has become meanwhile.
//!
//! Source: openat2(2), open(2) "O_PATH", path_resolution(7).

use std::{
    fs::{self, Metadata},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use nix::mount::{MsFlags, mount};
use rustix::{
    fs::{CWD, Mode, OFlags, ResolveFlags, fstatvfs, mkdirat, openat2},
    io::Errno,
};

/// Devices, set-user-ID files and programs in it have no effect.
pub(crate) const CLOSED: MsFlags =
    MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);

/// A file or folder, held by a descriptor with which it cannot be read or written.
pub struct Place(OwnedFd);

impl Place {
    /// A folder of the host. No part of its path may be a link.
    ///
    /// # Errors
    ///
    /// It is not there, is no folder, or has become a link.
    pub fn of(folder: &Path) -> anyhow::Result<Place> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match openat2(CWD, folder, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            Err(Errno::NOTDIR) => bail!("{} is not a folder", folder.display()),
            other => other.map(Place).with_context(|| format!("open {}", folder.display())),
        }
    }

    /// What has this name below this folder; `None` if nothing has.
    ///
    /// # Errors
    ///
    /// A link is on the way (ELOOP).
    pub fn at(&self, name: &str) -> anyhow::Result<Option<Place>> {
        // ANCHOR: exercise-beneath
        let inside = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // ANCHOR_END: exercise-beneath
        match openat2(&self.0, name, flags, Mode::empty(), inside) {
            Ok(found) => Ok(Some(Place(found))),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP) => bail!("/{name} in the root is a link, and no folder"),
            Err(errno) => Err(errno).with_context(|| format!("open /{name} in the root")),
        }
    }

    /// The folder of this name; `None` if there is nothing.
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn folder(&self, name: &str) -> anyhow::Result<Option<Place>> {
        let found = self.at(name)?;
        if let Some(found) = &found {
            let data = found.data().with_context(|| format!("/{name} in the root"))?;
            ensure!(data.is_dir(), "/{name} in the root is not a folder");
        }
        Ok(found)
    }

    /// Makes a folder of this name, if there is nothing.
    ///
    /// # Errors
    ///
    /// EACCES: this folder is another user's.
    pub fn make_folder(&self, name: &str) -> anyhow::Result<()> {
        match mkdirat(&self.0, name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(errno).with_context(|| format!("make /{name} in the root")),
        }
    }

    /// What stat(2) says of it.
    ///
    /// # Errors
    ///
    /// /proc is not mounted.
    pub fn data(&self) -> anyhow::Result<Metadata> {
        fs::metadata(self.path()).context("stat")
    }

    /// Whether this is the character device with this number.
    ///
    /// # Errors
    ///
    /// As [`Place::data`].
    pub fn is_device(&self, number: u64) -> anyhow::Result<bool> {
        let data = self.data()?;
        Ok(data.file_type().is_char_device() && data.rdev() == number)
    }

    /// A path by which this process can name the place itself.
    pub fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }

    /// Mounts a new file system on the folder `name`, and returns its root.
    ///
    /// # Errors
    ///
    /// The kernel refuses it.
    pub fn mount(
        &self,
        kind: &str,
        name: &str,
        flags: MsFlags,
        options: &str,
    ) -> anyhow::Result<Place> {
        let at = self.folder(name)?.with_context(|| format!("no folder /{name} in the root"))?;
        mount(Some(kind), &at.path(), Some(kind), flags, Some(options))
            .with_context(|| format!("mount {kind} on /{name} in the root"))?;
        self.folder(name)?.with_context(|| format!("no folder /{name} in the root"))
    }

    /// Mounts `what` on the file or folder `name`, so that nobody can write to it there. (You can
    /// write to a device: its mode, owner and times are read-only.)
    ///
    /// # Errors
    ///
    /// The kernel refuses it.
    pub fn bind_read_only(&self, what: &Place, name: &str, flags: MsFlags) -> anyhow::Result<()> {
        const NOTHING: Option<&str> = None;
        let at = || self.at(name)?.with_context(|| format!("no /{name} in the root"));
        mount(Some(&what.path()), &at()?.path(), NOTHING, MsFlags::MS_BIND, NOTHING)
            .with_context(|| format!("bind to /{name} in the root"))?;
        let again = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY | flags;
        mount(NOTHING, &at()?.path(), NOTHING, again, NOTHING)
            .with_context(|| format!("make /{name} in the root read-only"))
    }

    /// Closes the mount that this is: devices and set-user-ID files in it have no effect.
    ///
    /// # Errors
    ///
    /// The kernel refuses it.
    pub fn close(&self) -> anyhow::Result<()> {
        const NOTHING: Option<&str> = None;
        // What it is already, it must stay: in a user namespace these are locked.
        let has = fstatvfs(&self.0).context("statvfs")?.f_flag.bits();
        let kept =
            MsFlags::from_bits_truncate(has as libc::c_ulong) & (CLOSED | MsFlags::MS_RDONLY);
        let flags = kept | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        let again = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | flags;
        mount(NOTHING, &self.path(), NOTHING, again, NOTHING).context("mount it nosuid and nodev")
    }
}

impl From<OwnedFd> for Place {
    fn from(place: OwnedFd) -> Place {
        Place(place)
    }
}

impl AsFd for Place {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
// ANCHOR_END: place
