// ANCHOR: copy
//! How does the container get into what the keeper has built, and why can it change none of it?
//!
//! Its process makes a mount namespace of its own, while it is in another user namespace than the
//! keeper. Then the kernel locks each mount in the copy: nobody inside can unmount it, or take away
//! a flag such as read-only. And as long as a locked mount hides a part of /proc, it mounts no new
//! proc inside (mount_namespaces(7), "Restrictions on mount namespaces").

use std::{env, path::Path};

use anyhow::Context;
use ch04_mount::make_private;
use ch05_user_idmap::{User, become_user};
use lab::info;
use nix::{
    mount::{MntFlags, umount2},
    sched::{CloneFlags, unshare},
    unistd::{fchdir, pivot_root},
};
use rustix::mount::{MoveMountFlags, move_mount};

use crate::{mounts::copy_of_mount, place::Place};

/// The container's process, at the gate's other side: stands in the folder `root`, becomes root
/// inside, and takes a copy of all mounts. Its cgroup is the root of those that it can see.
///
/// # Errors
///
/// The kernel refuses the namespaces.
pub fn take_a_copy(root: &Path) -> anyhow::Result<()> {
    // It has the caller's ids until now: the way to the folder may be open to nobody else.
    env::set_current_dir(root).with_context(|| format!("chdir to {}", root.display()))?;
    become_user(User::ROOT)?;
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWCGROUP)
        .context("unshare: mount, cgroup")?;
    make_private()
}

/// init: makes the folder in which it stands its root, and detaches the old one.
///
/// # Errors
///
/// The kernel refuses it.
pub fn enter() -> anyhow::Result<()> {
    // pivot_root(2) takes no locked mount. In a copy of a tree its top is not locked.
    let here = Place::of(".".as_ref())?;
    let top = copy_of_mount(&here)?;
    move_mount(
        &top,
        "",
        &here,
        "",
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH,
    )
    .context("move_mount over the root")?;
    fchdir(&top).context("fchdir to the root")?;
    pivot_root(".", ".").context("pivot_root")?;
    umount2(".", MntFlags::MNT_DETACH).context("detach the old root")?;
    env::set_current_dir("/").context("chdir to the new root")?;
    info!("pivot_root: / is new, and every mount in it is locked");
    Ok(())
}
// ANCHOR_END: copy
