// ANCHOR: room
//! What does the keeper build, before anybody is inside?
//!
//! /proc, /sys, /dev and /tmp. Chapter 9 let the container's own process mount them, so root inside
//! could unmount them as well. Here a helper of the keeper does it, outside: the container gets a
//! copy of these mounts, and in a copy for another user namespace each mount is locked
//! (mount_namespaces(7)). proc and sysfs show the namespaces of the process that mounts them, so
//! the helper is in the container's PID and network namespace, and in no other of its namespaces.
//!
//! It works in a root that another user may have made. So it has the ids of root inside for that,
//! and no right of its own to any file (setfsuid(2)).

use std::{
    fs,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::PermissionsExt,
    },
};

use anyhow::{Context, anyhow, ensure};
use ch01_uts::{Child, attempt};
use ch05_user_idmap::User;
use ch06_reexec::CLONE_NEWNET;
use ch09_aufs::furnish::LINKS;
use lab::{Namespaces, context, info, rootfs::UsualUmask};
use nix::{
    errno::Errno,
    mount::MsFlags,
    sched::{CloneFlags, setns},
    unistd::{Gid, Uid, setfsgid, setfsuid},
};
use rustix::{
    fs::{Mode, OFlags, openat, symlinkat},
    mount::{MoveMountFlags, move_mount},
};

use crate::place::{CLOSED, Place};

/// What in /proc changes the machine, or shows more of it than a container should see.
const READ_ONLY: [&str; 5] = ["sys", "sysrq-trigger", "irq", "bus", "fs"];
const MASKED: [&str; 9] = [
    "acpi",
    "asound",
    "interrupts",
    "kcore",
    "keys",
    "latency_stats",
    "sched_debug",
    "scsi",
    "timer_list",
];
/// The same in /sys.
const MASKED_IN_SYS: [&str; 2] = ["firmware", "devices/virtual/powercap"];

/// The devices, with their numbers, major and minor.
const DEVICES: [(&str, u32, u32); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

/// The keeper: builds the room of the container, whose process waits at its gate, in `root`. With
/// `makes_folders` it makes the folders on which it mounts something.
///
/// # Errors
///
/// A folder is a link (it could lead anywhere) or something else, or the kernel refuses a mount.
pub fn build(
    root: &Place,
    container: &Child,
    owner: User,
    makes_folders: bool,
    devpts: &OwnedFd,
) -> anyhow::Result<()> {
    let in_container = |kind: Namespaces| {
        setns(container.process.as_fd(), CloneFlags::from_bits_retain(kind.bits()))
            .with_context(|| format!("setns: {kind}"))
    };
    // ANCHOR: exercise-helper
    attempt(Namespaces::NONE, || {
        // Only the children of a process that joins a PID namespace are in it.
        in_container(ch03_pid::CLONE_NEWPID)?;
        attempt(Namespaces::NONE, || {
            context::speak_as("helper");
            in_container(CLONE_NEWNET)?;
            be(owner)?;
            furnish(root, makes_folders, devpts)
        })
    })
    // ANCHOR_END: exercise-helper
}

/// Has the rights of this user to files, and no others.
fn be(owner: User) -> anyhow::Result<()> {
    let (uid, gid) = (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid));
    // They return what was before, and no error.
    setfsgid(gid);
    setfsuid(uid);
    ensure!(
        setfsuid(uid) == uid && setfsgid(gid) == gid,
        "setfsuid: {uid} is not mapped here"
    );
    Ok(())
}
// ANCHOR_END: room

// ANCHOR: furnish
fn furnish(root: &Place, makes_folders: bool, devpts: &OwnedFd) -> anyhow::Result<()> {
    let _umask = UsualUmask::set();
    for name in ["proc", "sys", "dev", "tmp"] {
        if makes_folders {
            root.make_folder(name)?;
        } else if root.at(name)?.is_none() {
            ensure!(name != "proc", "it has no folder `proc` to mount /proc on: make one");
            info!("no folder /{name} in it, so nothing is mounted there");
        }
    }
    proc(root)?;
    if root.folder("sys")?.is_some() {
        let sys = root.mount("sysfs", "sys", CLOSED | MsFlags::MS_RDONLY, "")?;
        MASKED_IN_SYS.iter().try_for_each(|name| mask(&sys, name))?;
    }
    if root.folder("dev")?.is_some() {
        dev(root, devpts)?;
    }
    if makes_folders {
        tmp(root)?;
    }
    info!("built the container's /proc, /sys, /dev and /tmp");
    Ok(())
}

fn proc(root: &Place) -> anyhow::Result<()> {
    let proc = root.mount("proc", "proc", CLOSED, "").map_err(|error| {
        match error.downcast_ref::<Errno>() {
            Some(Errno::EPERM) => anyhow!(
                "{error:#}: the helper must be in the container's PID namespace, and see a whole \
                 /proc, of which a container hides parts: docker run --security-opt \
                 systempaths=unconfined"
            ),
            _ => error,
        }
    })?;
    for name in READ_ONLY {
        if let Some(knobs) = proc.at(name)? {
            proc.bind_read_only(&knobs, name, CLOSED)?;
        }
    }
    MASKED.iter().try_for_each(|name| mask(&proc, name))
}

/// Covers what has this name: a folder with an empty one, anything else with /dev/null.
fn mask(place: &Place, name: &str) -> anyhow::Result<()> {
    let Some(found) = place.at(name)? else {
        return Ok(());
    };
    // ANCHOR: exercise-mask
    if found.data()?.is_dir() {
        return place
            .mount("tmpfs", name, CLOSED | MsFlags::MS_RDONLY, "mode=555,size=4k")
            .map(drop);
    }
    place.bind_read_only(&device("null", 1, 3)?, name, MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC)
    // ANCHOR_END: exercise-mask
}

/// A device of the host's /dev that is what its name says.
fn device(name: &str, major: u32, minor: u32) -> anyhow::Result<Place> {
    let device = Place::of("/dev".as_ref())?.at(name)?;
    let device = device.with_context(|| format!("no /dev/{name} on this machine"))?;
    let is_it = device.is_device(libc::makedev(major, minor))?;
    ensure!(is_it, "/dev/{name} of this machine is not the device {major}:{minor}");
    Ok(device)
}

fn dev(root: &Place, devpts: &OwnedFd) -> anyhow::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    let dev = root.mount("tmpfs", "dev", flags, "mode=755,size=64k")?;
    for (name, major, minor) in DEVICES {
        let new = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        openat(&dev, name, new, Mode::from_raw_mode(0o644))
            .with_context(|| format!("make {name} in /dev"))?;
        dev.bind_read_only(&device(name, major, minor)?, name, flags)?;
    }
    dev.make_folder("shm")?;
    dev.mount("tmpfs", "shm", CLOSED, "mode=1777")?;
    dev.make_folder("pts")?;
    move_mount(devpts, "", &dev, "pts", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .context("move_mount to pts in /dev")?;
    for (name, target) in LINKS {
        symlinkat(target, &dev, name).with_context(|| format!("link {name} in /dev"))?;
    }
    Ok(())
}

/// A /tmp that all users may write to. Where root inside may not change its mode (the image is
/// another user's), an empty tmpfs goes over it.
fn tmp(root: &Place) -> anyhow::Result<()> {
    let tmp = root.folder("tmp")?.context("no folder /tmp in the root")?;
    let for_all = fs::Permissions::from_mode(0o1777);
    if tmp.data()?.permissions().mode() & 0o7777 == for_all.mode()
        || fs::set_permissions(tmp.path(), for_all).is_ok()
    {
        return Ok(());
    }
    info!("root inside may not change the image's /tmp: mounting an empty one over it");
    root.mount("tmpfs", "tmp", MsFlags::MS_NOSUID | MsFlags::MS_NODEV, "mode=1777")
        .map(drop)
}
// ANCHOR_END: furnish
