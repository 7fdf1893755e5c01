// ANCHOR: intro
//! Private propagation, /proc, pivot_root.
//!
//! A new mount namespace starts as a copy of the old one. On most machines its mounts are still
//! tied to the originals: a mount made in one appears in the other. So the first step cuts the tie.
//!
//! | function | question it answers |
//! |---|---|
//! | [`make_private`] | how does no mount made here reach the host? |
//! | [`mount_proc`] | how does /proc show this PID namespace? |
//! | [`find_rootfs`] | can this folder be a root? |
//! | [`enter_rootfs`] | how do another system's files take the place of the host's? |
//! | [`pivot_into`] | how does a mount become the root, and how does the old root go? |
//! | [`rehearse`] | does all of this work here? |
//!
//! Source: mount_namespaces(7), mount(2), pivot_root(2), proc(5).

use std::{
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, ensure};
use ch01_uts::{CLONE_NEWUTS, attempt};
use ch02_ipc::CLONE_NEWIPC;
use ch03_pid::CLONE_NEWPID;
use lab::{Kind, Namespaces, Probe, debug, info};
use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    unistd::pivot_root,
};

/// A new mount namespace (mount_namespaces(7)). It was the first kind, hence the flag's name.
pub const CLONE_NEWNS: Namespaces = Namespaces::of(Kind::Mount);

/// What this chapter adds to the command line.
#[derive(clap::Args, Clone, Debug)]
pub struct MountOptions {
    /// A folder with another system's files, to be the root inside [default: /]
    #[arg(long, value_name = "DIR")]
    pub rootfs: Option<PathBuf>,
}

impl MountOptions {
    /// Whether the folder can be a root: for the parent, before it makes anything.
    ///
    /// # Errors
    ///
    /// As [`find_rootfs`].
    pub fn check(&self) -> anyhow::Result<()> {
        self.rootfs.as_deref().map_or(Ok(()), |rootfs| find_rootfs(rootfs).map(drop))
    }
}

const NO_SOURCE: Option<&Path> = None;
const NO_TYPE: Option<&str> = None;
const NO_DATA: Option<&str> = None;
// ANCHOR_END: intro

// ANCHOR: private
/// Ends all propagation between this mount namespace and any other: from now on, no mount made here
/// reaches the host, and no mount made there comes in.
///
/// # Errors
///
/// EPERM without CAP_SYS_ADMIN in the user namespace that owns the mount namespace.
pub fn make_private() -> anyhow::Result<()> {
    // ANCHOR: exercise-private
    mount(NO_SOURCE, "/", NO_TYPE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NO_DATA)
        .context("make every mount private (MS_REC|MS_PRIVATE on /)")?;
    // ANCHOR_END: exercise-private
    debug!("all mounts private: none made here reaches the host");
    Ok(())
}
// ANCHOR_END: private

// ANCHOR: proc
/// Mounts the /proc of this process's PID namespace on the folder `at`.
///
/// # Errors
///
/// `at` is not a folder; EPERM in a user namespace that does not see a whole /proc already.
pub fn mount_proc(at: &Path) -> anyhow::Result<()> {
    let folder =
        fs::symlink_metadata(at).with_context(|| format!("mount proc on {}", at.display()))?;
    ensure!(folder.is_dir(), "mount proc on {}: it is not a folder", at.display());
    // ANCHOR: exercise-proc
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), at, Some("proc"), flags, NO_DATA).map_err(|errno| match errno {
        Errno::EPERM => anyhow!(
            "mount proc on {}: {}: the kernel mounts a proc here only if a whole /proc is visible, \
             and a container hides parts of it: docker run --security-opt systempaths=unconfined",
            at.display(),
            errno.desc()
        ),
        _ => anyhow!("mount proc on {}: {}", at.display(), errno.desc()),
    })?;
    // ANCHOR_END: exercise-proc
    info!("mounted proc: it shows this PID namespace");
    Ok(())
}
// ANCHOR_END: proc

// ANCHOR: rootfs
/// The whole path of a folder that can be a root.
///
/// # Errors
///
/// `rootfs` is missing, is not a folder, or has no folder `proc`.
pub fn find_rootfs(rootfs: &Path) -> anyhow::Result<PathBuf> {
    let shown = rootfs.display();
    let root = rootfs.canonicalize().map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!("rootfs {shown}: {error}: `make rootfs` makes ./rootfs"),
        _ => anyhow!("rootfs {shown}: {error}"),
    })?;
    ensure!(root.is_dir(), "rootfs {shown}: it is not a folder");
    let has_proc = root.join("proc").is_dir();
    ensure!(has_proc, "rootfs {shown}: it has no folder `proc` to mount /proc on: make one");
    Ok(root)
}

/// Makes the folder `rootfs` the root of this mount namespace, with a new /proc, and detaches the
/// old root: no path leads to the host's files any more. With `/`, the root stays as it is.
///
/// # Errors
///
/// As [`find_rootfs`]; the kernel refuses a mount.
pub fn enter_rootfs(rootfs: &Path) -> anyhow::Result<()> {
    let root = find_rootfs(rootfs)?;
    let proc = root.join("proc");
    if root == Path::new("/") {
        return mount_proc(&proc); // the root already is where it should be
    }

    become_mount_point(&root)?;
    // Before the host's /proc is gone: in a user namespace the kernel mounts a new proc
    // only where a whole one is visible already.
    mount_proc(&proc)?;
    pivot_into(&root)
}

/// Bind-mounts the folder on itself: pivot_root(2) needs a mount point (EINVAL).
fn become_mount_point(root: &Path) -> anyhow::Result<()> {
    mount(Some(root), root, NO_TYPE, MsFlags::MS_BIND | MsFlags::MS_REC, NO_DATA)
        .with_context(|| format!("bind {} on itself", root.display()))
}
// ANCHOR_END: rootfs

// ANCHOR: pivot
/// Makes the mount point `root` the root of this mount namespace (pivot_root(2)).
///
/// # Errors
///
/// EINVAL if `root` is not a mount point, or if the mount that it is attached to is shared.
pub fn pivot_into(root: &Path) -> anyhow::Result<()> {
    // ANCHOR: exercise-pivot
    env::set_current_dir(root).with_context(|| format!("chdir to {}", root.display()))?;
    // The old root goes on top of the new one, in the same place: no folder is needed for it.
    pivot_root(".", ".").with_context(|| format!("pivot_root to {}", root.display()))?;
    umount2(".", MntFlags::MNT_DETACH).context("detach the old root")?;
    env::set_current_dir("/").context("chdir to the new root")?;
    // ANCHOR_END: exercise-pivot
    info!("pivot_root: / is new, the old root is detached");
    Ok(())
}
// ANCHOR_END: pivot

// ANCHOR: probe
/// Can a child here mount a /proc of its own and change its root?
pub fn probe() -> Probe {
    Probe::of(attempt(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNS, rehearse))
}

/// Does in a short-lived child what every stage from here on does.
///
/// # Errors
///
/// What failed.
pub fn rehearse() -> anyhow::Result<()> {
    make_private()?;
    mount_proc(Path::new("/proc"))?;
    let root = Path::new("/sys");
    become_mount_point(root)?;
    pivot_into(root)
}
// ANCHOR_END: probe
