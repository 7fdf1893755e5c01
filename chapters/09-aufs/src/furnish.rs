//! What do programs expect to find in a root, besides the image's files?
//!
//! /proc (chapter 4), /sys to read, a /dev with the harmless devices, and a /tmp. Nobody
//! may make a device in a user namespace (mknod(2), EPERM), root neither, so the host's
//! own are bound in; what is not bound in is not there.

use std::{
    fs::{self, File},
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use anyhow::{Context, ensure};
use log::info;
use nix::mount::{MsFlags, mount};

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
const LINKS: [(&str, &str); 5] = [
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
    for folder in ["proc", "sys", "dev", "tmp"] {
        folder_at(&root.join(folder))?;
    }
    let tmp = root.join("tmp");
    if fs::metadata(&tmp).with_context(|| format!("stat {}", tmp.display()))?.permissions().mode() & 0o7777 != 0o1777 {
        fs::set_permissions(&tmp, fs::Permissions::from_mode(0o1777))
            .with_context(|| format!("chmod {}", tmp.display()))?;
    }
    let closed = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount_new("sysfs", &root.join("sys"), closed | MsFlags::MS_RDONLY, "")?;
    let dev = root.join("dev");
    mount_new("tmpfs", &dev, MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC, "mode=755,size=64k")?;
    for device in DEVICES {
        bind(&Path::new("/dev").join(device), &dev.join(device))?;
    }
    folder_at(&dev.join("shm"))?;
    mount_new("tmpfs", &dev.join("shm"), closed, "mode=1777")?;
    folder_at(&dev.join("pts"))?;
    mount_new(
        "devpts",
        &dev.join("pts"),
        MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC,
        "newinstance,ptmxmode=0666,mode=620",
    )?;
    for (name, target) in LINKS {
        symlink(target, dev.join(name)).with_context(|| format!("link {name} in {}", dev.display()))?;
    }
    info!("furnished it with /sys, /dev and /tmp");
    Ok(())
}

fn folder_at(path: &Path) -> anyhow::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(data) => ensure!(data.is_dir(), "{} is not a folder", path.display()),
        Err(_) => fs::create_dir(path).with_context(|| format!("make {}", path.display()))?,
    }
    Ok(())
}

fn mount_new(kind: &str, at: &Path, flags: MsFlags, options: &str) -> anyhow::Result<()> {
    mount(Some(kind), at, Some(kind), flags, Some(options)).with_context(|| format!("mount {kind} on {}", at.display()))
}

fn bind(device: &Path, at: &Path) -> anyhow::Result<()> {
    let nothing: Option<&str> = None;
    File::create(at).with_context(|| format!("make {}", at.display()))?;
    mount(Some(device), at, nothing, MsFlags::MS_BIND, nothing)
        .with_context(|| format!("bind {} to {}", device.display(), at.display()))
}
