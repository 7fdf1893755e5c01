// ANCHOR: driver
//! Which union file system puts the layers together, and how is it mounted?

use std::{
    ffi::CStr,
    fmt,
    fs::{self, File, OpenOptions},
    os::{
        fd::AsRawFd,
        unix::{ffi::OsStrExt, fs::OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail, ensure};
use ch05_user_idmap::is_root_outside;
use clap::ValueEnum;
use lab::info;
use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
};

use crate::fsmount::Filesystem;

/// A union file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Driver {
    /// The first that containers used; it never came into the kernel.
    Aufs,
    /// The one that is in the kernel.
    Overlay,
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The layers of one root.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Image layers, lowest first. They are only read.
    pub image: Vec<PathBuf>,
    /// The container layer, which collects what changes.
    pub container: PathBuf,
    /// Overlay's scratch folder, empty and on the container layer's file system.
    pub work: PathBuf,
    /// Where the root appears.
    pub merged: PathBuf,
}

/// mount(2) copies a page of options at the most, with the zero at its end.
const LONGEST_OPTIONS: usize = 4095;
/// fsconfig(2) copies a value of 256 bytes at the most, with the zero at its end.
const LONGEST_VALUE: usize = 255;

impl Driver {
    fn name(self) -> &'static str {
        match self {
            Driver::Aufs => "aufs",
            Driver::Overlay => "overlay",
        }
    }

    /// The driver that was asked for, or aufs where it can be had, else overlay; the log
    /// says which, and what is different.
    ///
    /// # Errors
    ///
    /// The one that was asked for cannot be had here.
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
                bail!("--driver aufs: {reason}; leave --driver away for overlay")
            }
            (Some(driver), _) => Ok(driver),
            (None, None) => Ok(Driver::Aufs),
            (None, Some(reason)) => {
                info!("{reason}: overlay (its whiteout is a device)");
                Ok(Driver::Overlay)
            }
        }
    }

    /// Mounts the stack.
    ///
    /// # Errors
    ///
    /// The kernel refuses it, or the paths are more than it can be told.
    pub fn mount(self, stack: &Stack) -> anyhow::Result<()> {
        match self {
            Driver::Aufs => mount_aufs(stack),
            Driver::Overlay => mount_overlay(stack),
        }
    }
}

/// `dirs=CONTAINER:TOP:…:LOWEST`: the first is written to, the others are read.
fn mount_aufs(stack: &Stack) -> anyhow::Result<()> {
    let mut options = b"dirs=".to_vec();
    for (index, branch) in
        [&stack.container].into_iter().chain(stack.image.iter().rev()).enumerate()
    {
        let path = branch.as_os_str().as_bytes();
        let special = path.iter().any(|byte| b":,\\=".contains(byte));
        ensure!(
            !special,
            "aufs cannot be told of {}: it has a colon, a comma, an = or a backslash",
            branch.display()
        );
        if index > 0 {
            options.push(b':');
        }
        options.extend(path);
    }
    mount_with(Driver::Aufs, &stack.merged, &options)
}

fn mount_overlay(stack: &Stack) -> anyhow::Result<()> {
    // Before Linux 6.7 overlay does not know `lowerdir+`, and wants all in one string.
    if knows_lowerdir_plus() {
        return overlay_one_by_one(stack);
    }
    let mut options = Vec::new();
    for (index, layer) in stack.image.iter().rev().enumerate() {
        options.extend(if index == 0 { &b"lowerdir="[..] } else { b":" });
        options.extend(escaped(layer));
    }
    for (key, path) in [("upperdir", &stack.container), ("workdir", &stack.work)] {
        options.extend(format!(",{key}=").bytes());
        options.extend(escaped(path));
    }
    let in_user_namespace = needs_userxattr();
    if in_user_namespace {
        options.extend(b",userxattr");
    }
    mount_with(Driver::Overlay, &stack.merged, &options).map_err(|error| match error.downcast_ref() {
        Some(Errno::ENODEV) => anyhow!("this kernel has no overlay: `sudo modprobe overlay`, if it has it as a module"),
        Some(Errno::EPERM) if in_user_namespace => {
            anyhow!("this kernel lets only root mount overlay (an ordinary user since Linux 5.11): run this as root")
        }
        _ => error,
    })
}

fn overlay_one_by_one(stack: &Stack) -> anyhow::Result<()> {
    let overlay = Filesystem::open(c"overlay")?;
    let mut open = Vec::new(); // until the mount is made
    let mut set = |key: &CStr, path: &Path| {
        let name = short_name(path, &mut open)?;
        overlay.set(key, &name)
    };
    // ANCHOR: exercise-stack
    for layer in stack.image.iter().rev() {
        set(c"lowerdir+", layer)?;
    }
    set(c"upperdir", &stack.container)?;
    set(c"workdir", &stack.work)?;
    // ANCHOR_END: exercise-stack
    // ANCHOR: exercise-userxattr
    if !needs_userxattr() {
        return overlay.mount(&stack.merged);
    }
    overlay.set_flag(c"userxattr")?;
    // ANCHOR_END: exercise-userxattr
    overlay
        .mount(&stack.merged)
        .context("mount the layers (in a user namespace, no other mount may be below a layer)")
}

/// A name of the folder that fits into an option: its path, or that of a descriptor of ours.
fn short_name(path: &Path, open: &mut Vec<File>) -> anyhow::Result<PathBuf> {
    // Overlay takes a backslash in upperdir and workdir for an escape.
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

/// Whether this kernel's overlay takes layers one at a time. Before Linux 6.5 it takes any
/// option whatever, and refuses only at the end: so it must also refuse one that is none.
fn knows_lowerdir_plus() -> bool {
    let takes = |key| {
        Filesystem::open(c"overlay").is_ok_and(|overlay| overlay.set(key, Path::new("/")).is_ok())
    };
    takes(c"lowerdir+") && !takes(c"no-such-option")
}

/// A mount in a user namespace may not write `trusted.` attributes. Without `userxattr`
/// overlay mounts all the same there, and making a folder again that was deleted is EIO.
fn needs_userxattr() -> bool {
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

fn mount_with(driver: Driver, at: &Path, options: &[u8]) -> anyhow::Result<()> {
    ensure!(
        options.len() <= LONGEST_OPTIONS,
        "{driver}: the layers' paths make {} bytes of options, and mount(2) takes {LONGEST_OPTIONS}: \
         fewer layers, or shorter paths",
        options.len()
    );
    mount(Some("none"), at, Some(driver.name()), MsFlags::empty(), Some(options))
        .with_context(|| format!("mount -t {driver} -o {}", String::from_utf8_lossy(options)))
}
// ANCHOR_END: driver

#[cfg(test)]
mod tests {
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
