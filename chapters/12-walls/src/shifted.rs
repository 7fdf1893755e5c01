// ANCHOR: shifted
//! Why is root inside not root of the machine?
//!
//! Where the kernel asks only "is it uid 0?", it means uid 0 of the machine. So if root starts a
//! container, no id inside may be an id that anybody has outside. The image's files belong to the
//! machine's ids, though. An idmapped mount shows them with shifted ones: what belongs to 0 on the
//! disk belongs to root inside. Nothing on the disk changes.
//!
//! Source: user_namespaces(7), mount_setattr(2) "ID-mapped mounts".

use std::{fs::File, os::unix::fs::MetadataExt, path::Path};

use anyhow::{Context, anyhow, ensure};
use ch01_uts::spawn;
use ch05_user_idmap::{CLONE_NEWUSER, Gate, IdMap, MapLine, Maps, User};
use ch07_cgroup_memory::base::is_root_outside;
use ch08_pipe_init::{RunOptions, Streams};
use lab::{Exit, context::in_detail, debug};
use nix::{
    errno::Errno,
    unistd::{Gid, Uid, fchown},
};
use rustix::{
    fs::{CWD, FsWord, fstatfs},
    mount::{MoveMountFlags, move_mount},
};

use crate::{
    mounts::{close_all, copy_of_mount, show_ids},
    place::Place,
};

/// The ids outside of root's containers. Nobody has them: useradd(8) and subuid(5) give out
/// smaller ones, and systemd reserves those before and after (its page "Users, Groups, UIDs and
/// GIDs").
const RANGE: MapLine = MapLine {
    inside: 0,
    outside: 1_879_048_192,
    size: 65_536,
};

/// What a container gets if root of the machine starts it without `--uid-map` and `--gid-map`.
///
/// # Errors
///
/// None, with this range.
pub fn shifted_maps() -> anyhow::Result<Maps> {
    let map = |name| IdMap::new(name, vec![RANGE]);
    debug!("root inside is {} outside, which is nobody there", RANGE.outside);
    Maps::new(map("uid_map")?, map("gid_map")?)
}

/// Whether the container gets that.
pub fn is_shifted(options: &RunOptions) -> bool {
    // Root of a user namespace is nobody's root outside already, and may have few ids to give.
    options.ids.is_empty() && is_root_outside()
}

/// Who root inside is outside.
///
/// # Errors
///
/// The maps do not contain it.
pub fn root_outside(maps: &Maps) -> anyhow::Result<User> {
    let outside = |map: &IdMap| {
        let line = map.lines().iter().find(|line| line.inside == 0);
        line.map(|line| line.outside).context("the map has no root")
    };
    Ok(User {
        uid: outside(&maps.uid)?,
        gid: outside(&maps.gid)?,
    })
}
// ANCHOR_END: shifted

// ANCHOR: show
/// A user namespace with these maps, for an idmapped mount. `None` if no owner is to be shown as
/// another: an ordinary user's files belong to root inside already.
///
/// # Errors
///
/// The kernel refuses the namespace or a map.
pub fn shifted_ids(maps: &Maps) -> anyhow::Result<Option<File>> {
    if !is_root_outside() || root_outside(maps)? == User::ROOT {
        return Ok(None);
    }
    in_detail(|| user_namespace(maps)).map(Some)
}

/// Of a child that ends: the namespace lives as long as its file is open.
fn user_namespace(maps: &Maps) -> anyhow::Result<File> {
    let gate = Gate::new()?;
    let child = spawn(CLONE_NEWUSER, || gate.wait().map(|()| Exit::Code(0)))?;
    maps.write(child.pid())?;
    let file = format!("/proc/{}/ns/user", child.pid());
    let namespace = File::open(&file).with_context(|| format!("open {file}"))?;
    gate.open()?;
    let exit = child.wait_as_usual()?;
    ensure!(exit == Exit::Code(0), "the child ended with {exit}");
    Ok(namespace)
}

/// Mounts a folder of the host on the folder `at`, in this mount namespace only. There no device in
/// it can be opened, and no set-user-ID file in it gives anything. With `ids` it shows the owners
/// of its files as the maps of that user namespace say; what is mounted below it keeps its owners.
///
/// # Errors
///
/// The kernel (before Linux 5.12) or the folder's file system has no idmapped mounts.
pub fn show(folder: &Path, at: &Path, ids: Option<&File>) -> anyhow::Result<()> {
    let mount = copy_of_mount(&Place::of(folder)?).with_context(|| folder.display().to_string())?;
    if let Some(ids) = ids {
        show_ids(&mount, ids).map_err(|errno| not_shown(folder, errno))?;
    }
    move_mount(&mount, "", CWD, at, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .with_context(|| format!("move_mount to {}", at.display()))?;
    match close_all(&mount) {
        // Linux 5.10 and 5.11 close one mount at a time: those below it stay as they are.
        Err(Errno::ENOSYS) => Place::from(mount).close(),
        other => other.context("mount_setattr: nosuid, nodev"),
    }
    .with_context(|| folder.display().to_string())
}

/// What the kernel's refusal means if the layers are shown with shifted owners.
pub(crate) const NO_SHIFTED_LAYERS: &str = "mount layers with shifted owners (overlay takes them \
    since Linux 5.19, aufs does not): `--uid-map 0:0:65536 --gid-map 0:0:65536` goes without, and \
    then root inside is root of the machine";

fn not_shown(folder: &Path, errno: Errno) -> anyhow::Error {
    let reason = match errno {
        Errno::ENOSYS => "before Linux 5.12 there are no idmapped mounts",
        Errno::EINVAL => "its file system has no idmapped mounts",
        _ => "see mount_setattr(2)",
    };
    anyhow!(
        "show {} with shifted owners: {}: {reason}: `--uid-map 0:0:65536 --gid-map 0:0:65536` goes \
         without, and then root inside is root of the machine",
        folder.display(),
        errno.desc()
    )
}

/// Gives root inside the container's pipes: a pipe belongs to its maker, and /dev/stdin opens it
/// once more.
///
/// # Errors
///
/// As fchown(2).
pub fn give_away(streams: &Streams, owner: User) -> anyhow::Result<()> {
    const PIPES: FsWord = 0x5049_5045; // a pipe without a name (statfs(2), PIPEFS_MAGIC)
    for stream in streams.given()? {
        if fstatfs(&stream).context("statfs of a stream")?.f_type == PIPES {
            let (uid, gid) = (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid));
            match fchown(&stream, Some(uid), Some(gid)) {
                Err(Errno::EPERM) => {} // another user's, given to this one
                other => other.context("give root inside a pipe")?,
            }
        }
    }
    Ok(())
}

/// Refuses a container layer that root inside could not write to.
///
/// # Errors
///
/// Its folder does not belong to root inside: a container with other ids has written it.
pub fn require_owner(root: &Path, owner: User) -> anyhow::Result<()> {
    let uid = root.metadata().with_context(|| format!("stat {}", root.display()))?.uid();
    ensure!(
        uid == owner.uid,
        "/ belongs to {uid}, and root inside is {}: use a new container layer, or one that a \
         container with these ids has written",
        owner.uid
    );
    Ok(())
}
// ANCHOR_END: show
