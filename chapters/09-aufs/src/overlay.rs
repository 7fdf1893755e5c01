// ANCHOR: overlay
//! How does overlay get the layers?
//!
//! Source: Documentation/filesystems/overlayfs.rst of the kernel.

use std::{
    fs::{File, OpenOptions},
    os::{
        fd::AsRawFd,
        unix::{ffi::OsStrExt, fs::OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use ch07_cgroup_memory::base::is_root_outside;
use nix::errno::Errno;
use rustix::mount::MountAttrFlags;

use crate::{
    fsmount::Filesystem,
    stack::{Stack, mount_with},
};

/// fsconfig(2) copies a value of 256 bytes at the most, with the zero at its end.
const LONGEST_VALUE: usize = 255;

/// Mounts the stack.
pub(crate) fn mount(stack: &Stack) -> anyhow::Result<()> {
    // Before Linux 6.7 overlay does not know `lowerdir+`, and wants all in one string.
    let mounted = if knows_lowerdir_plus() {
        one_by_one(stack)
    } else {
        in_one_string(stack)
    };
    mounted.map_err(|error| match error.downcast_ref() {
        Some(Errno::ENODEV) => {
            anyhow!("this kernel has no overlay: `sudo modprobe overlay`, if it is a module here")
        }
        Some(Errno::EPERM) if needs_userxattr() => anyhow!(
            "this kernel lets only root mount overlay (an ordinary user may since Linux 5.11): \
             with `--rootfs rootfs`, which `make rootfs` makes, you need no layers"
        ),
        _ => error,
    })
}

/// Layers and options, the upper before the lower.
fn one_by_one(stack: &Stack) -> anyhow::Result<()> {
    let overlay = Filesystem::open("overlay")?;
    let mut open = Vec::new(); // until the mount is made
    let mut set = |key: &str, path: &Path| {
        let name = short_name(path, &mut open)?;
        overlay.set(key, &name)
    };
    // ANCHOR: exercise-stack
    for layer in stack.image.iter().rev() {
        set("lowerdir+", layer)?;
    }
    set("upperdir", &stack.container)?;
    set("workdir", &stack.work)?;
    // ANCHOR_END: exercise-stack
    overlay.set("xino", Path::new("on"))?;
    // ANCHOR: exercise-userxattr
    if needs_userxattr() {
        overlay.set_flag("userxattr")?;
    }
    // ANCHOR_END: exercise-userxattr
    overlay
        .mount(
            &stack.merged,
            MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV,
        )
        .context("mount the layers (in a user namespace, no other mount may be below a layer)")
}

/// The same for an older kernel.
fn in_one_string(stack: &Stack) -> anyhow::Result<()> {
    let mut options = Vec::new();
    for (index, layer) in stack.image.iter().rev().enumerate() {
        options.extend(if index == 0 { &b"lowerdir="[..] } else { b":" });
        options.extend(escaped(layer));
    }
    for (key, path) in [("upperdir", &stack.container), ("workdir", &stack.work)] {
        options.extend(format!(",{key}=").bytes());
        options.extend(escaped(path));
    }
    options.extend(b",xino=on");
    if needs_userxattr() {
        options.extend(b",userxattr");
    }
    mount_with("overlay", &stack.merged, &options)
}

/// A path of the folder that fits into an option: its own, or the path of an open descriptor in
/// /proc.
fn short_name(path: &Path, open: &mut Vec<File>) -> anyhow::Result<PathBuf> {
    // Overlay treats a backslash in upperdir and workdir as an escape.
    let bytes = path.as_os_str().as_bytes();
    if bytes.len() <= LONGEST_VALUE && !bytes.contains(&b'\\') {
        return Ok(path.to_owned());
    }
    let folder = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_DIRECTORY)
        .open(path);
    let folder = folder.with_context(|| format!("open {}", path.display()))?;
    let name = format!("/proc/self/fd/{}", folder.as_raw_fd());
    open.push(folder);
    Ok(name.into())
}

/// Whether this kernel's overlay takes layers one at a time. Before Linux 6.5 fsconfig(2) takes any
/// key for it and fails only at the end: so a key that cannot exist is tried, too.
fn knows_lowerdir_plus() -> bool {
    Filesystem::open("overlay").is_ok_and(|overlay| {
        let takes = |key| overlay.set(key, Path::new("/")).is_ok();
        takes("lowerdir+") && !takes("no-such-option")
    })
}

/// The attribute that makes a folder opaque.
pub(crate) fn opaque() -> &'static str {
    if needs_userxattr() {
        "user.overlay.opaque"
    } else {
        "trusted.overlay.opaque"
    }
}

/// A mount in a user namespace may not write `trusted.` attributes. Without `userxattr`
/// overlay mounts all the same there, and making a folder again that was deleted is EIO.
pub(crate) fn needs_userxattr() -> bool {
    !is_root_outside()
}

/// A path inside overlay's option string: a backslash before colon, comma and backslash.
fn escaped(path: &Path) -> Vec<u8> {
    let mut text = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        if b":,\\".contains(byte) {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text
}

// ANCHOR_END: overlay

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_means_something_to_overlay_is_escaped() {
        assert_eq!(escaped(Path::new("/a b/c:d,e\\f")), b"/a b/c\\:d\\,e\\\\f");
    }

    #[test]
    fn a_long_path_gets_a_short_name() {
        let mut open = Vec::new();
        assert_eq!(short_name(Path::new("/usr"), &mut open).unwrap(), Path::new("/usr"));
        let long = format!("/{}usr", "./".repeat(200));
        let name = short_name(Path::new(&long), &mut open).unwrap();
        assert!(name.starts_with("/proc/self/fd") && name.as_os_str().len() <= LONGEST_VALUE);
        assert_eq!(fs::canonicalize(&name).unwrap(), fs::canonicalize("/usr").unwrap());
    }
}
