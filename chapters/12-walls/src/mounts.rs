// ANCHOR: mounts
//! How is a mount copied, and how are the owners in it shown as others?
//!
//! open_tree(2) makes a copy that is attached nowhere; mount_setattr(2) changes it while nobody can
//! see it; move_mount(2) attaches it.

use std::{
    fs::File,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    ptr::from_ref,
};

use anyhow::Context;
use nix::errno::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};

/// A copy of the mount at this place, with those on it.
///
/// # Errors
///
/// EPERM without CAP_SYS_ADMIN in the user namespace that owns the mount namespace.
pub fn copy_of_mount(place: impl AsFd) -> anyhow::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    open_tree(place, "", flags).context("open_tree")
}

/// Shows the owners of the files in this mount, which is not attached yet, as the maps of the user
/// namespace say.
///
/// # Errors
///
/// ENOSYS before Linux 5.12; EINVAL if its file system has no idmapped mounts; EPERM without
/// CAP_SYS_ADMIN in the user namespace in which the file system was mounted.
pub fn show_ids(mount: impl AsFd, maps: &File) -> nix::Result<()> {
    let wanted = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_IDMAP,
        attr_clr: 0,
        propagation: 0,
        userns_fd: maps.as_raw_fd() as u64,
    };
    set_attributes(mount, 0, &wanted)
}

/// Closes this mount and those on it: no device in them can be opened, and no set-user-ID file in
/// them gives anything.
///
/// # Errors
///
/// ENOSYS before Linux 5.12.
pub fn close_all(mount: impl AsFd) -> nix::Result<()> {
    let wanted = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    set_attributes(mount, libc::AT_RECURSIVE, &wanted)
}

fn set_attributes(
    mount: impl AsFd,
    flags: libc::c_int,
    wanted: &libc::mount_attr,
) -> nix::Result<()> {
    // SAFETY: the kernel reads an empty path and as many bytes of `wanted` as the size says.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | flags,
            from_ref(wanted),
            size_of_val(wanted),
        )
    };
    Errno::result(done).map(drop)
}
// ANCHOR_END: mounts
