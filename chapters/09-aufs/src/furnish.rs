//! What do programs expect to find in a root, besides the image's files?
//!
//! /proc (chapter 4), /sys to read, a /dev with the harmless devices, and a /tmp. In a user
//! namespace nobody may make a device node (mknod(2), EPERM), not even root; only a whiteout, the
//! device 0/0 that no driver has (Linux 5.8). So the host's own nodes are bound in, and no others
//! are there.

use std::{
    fs::{self, File},
    io::ErrorKind,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use anyhow::{Context, ensure};
use lab::{debug, rootfs::UsualUmask};
use nix::mount::{MsFlags, mount};

/// The folders on which something is mounted, or that must be there.
pub(crate) const FOLDERS: [&str; 4] = ["proc", "sys", "dev", "tmp"];
/// What in /proc changes the machine.
const KNOBS: [&str; 5] = ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"];
const CLOSED: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
/// The links in /dev, with their targets.
pub const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Furnishes the root file system in `root`, before it becomes the root.
///
/// # Errors
///
/// A folder is a link (it could lead anywhere), or the kernel refuses a mount.
pub fn furnish(root: &Path) -> anyhow::Result<()> {
    let _umask = UsualUmask::set();
    for folder in FOLDERS {
        folder_at(&root.join(folder))?;
    }
    tmp_for_all(&root.join("tmp"))?;
    mount_new("sysfs", &root.join("sys"), CLOSED | MsFlags::MS_RDONLY, "")?;
    let dev = root.join("dev");
    mount_new("tmpfs", &dev, MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC, "mode=755,size=64k")?;
    for device in DEVICES {
        bind(&Path::new("/dev").join(device), &dev.join(device))?;
    }
    folder_at(&dev.join("shm"))?;
    mount_new("tmpfs", &dev.join("shm"), CLOSED, "mode=1777")?;
    folder_at(&dev.join("pts"))?;
    mount_new(
        "devpts",
        &dev.join("pts"),
        MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC,
        "newinstance,ptmxmode=0666,mode=620",
    )?;
    for (name, target) in LINKS {
        symlink(target, dev.join(name))
            .with_context(|| format!("link {name} in {}", dev.display()))?;
    }
    debug!("furnished it with /sys, /dev and /tmp");
    Ok(())
}

/// Makes those knobs in /proc read-only that change the machine, so that no program does so by
/// accident. It is no wall: root inside may unmount them, or mount /proc anew.
///
/// # Errors
///
/// The kernel refuses a mount.
pub fn protect_proc() -> anyhow::Result<()> {
    for knobs in KNOBS.map(Path::new).into_iter().filter(|path| path.exists()) {
        bind_read_only(knobs, knobs, CLOSED)?;
    }
    Ok(())
}

/// A /tmp that all users may write to. Where you may not change its mode (root's image, and you are
/// an ordinary user), an empty tmpfs goes over it.
fn tmp_for_all(tmp: &Path) -> anyhow::Result<()> {
    let mode = fs::metadata(tmp)
        .with_context(|| format!("stat {}", tmp.display()))?
        .permissions()
        .mode();
    if mode & 0o7777 == 0o1777 {
        return Ok(());
    }
    match fs::set_permissions(tmp, fs::Permissions::from_mode(0o1777)) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            debug!("the image's /tmp is not yours to change: mounting an empty one over it");
            mount_new("tmpfs", tmp, MsFlags::MS_NOSUID | MsFlags::MS_NODEV, "mode=1777")
        }
        other => other.with_context(|| format!("chmod {}", tmp.display())),
    }
}

fn folder_at(path: &Path) -> anyhow::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(data) => ensure!(data.is_dir(), "{} is not a folder", path.display()),
        Err(_) => fs::create_dir(path).with_context(|| format!("make {}", path.display()))?,
    }
    Ok(())
}

fn mount_new(kind: &str, at: &Path, flags: MsFlags, options: &str) -> anyhow::Result<()> {
    mount(Some(kind), at, Some(kind), flags, Some(options))
        .with_context(|| format!("mount {kind} on {}", at.display()))
}

/// You can still write to such a device: only its mode, owner and times are read-only.
fn bind(device: &Path, at: &Path) -> anyhow::Result<()> {
    File::create(at).with_context(|| format!("make {}", at.display()))?;
    bind_read_only(device, at, MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC)
}

fn bind_read_only(what: &Path, at: &Path, flags: MsFlags) -> anyhow::Result<()> {
    let nothing: Option<&str> = None;
    mount(Some(what), at, nothing, MsFlags::MS_BIND, nothing)
        .with_context(|| format!("bind {} to {}", what.display(), at.display()))?;
    let read_only = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY | flags;
    mount(nothing, at, nothing, read_only, nothing)
        .with_context(|| format!("make {} read-only", at.display()))
}
