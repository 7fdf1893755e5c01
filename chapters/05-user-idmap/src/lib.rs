// ANCHOR: intro
//! uid_map, gid_map, setgroups, and the gate between parent and child.
//!
//! In a new user namespace a process has every capability, but nobody's name: until its
//! map is written, all ids are 65534. The parent writes it, from outside (a process inside
//! may map no id but its own), and the child waits for that at the [`Gate`]. A child that
//! executed something before would lose the capabilities: execve(2) gives them to id 0 only.
//! Source: user_namespaces(7), capabilities(7), newuidmap(1).

mod gate;
mod map;
mod subid;
mod write;

use std::{fs, os::unix::fs::MetadataExt, str::FromStr};

use anyhow::{Context, ensure};
use ch01_uts::die_with_parent;
use lab::info;
use lab::{Failure, Probe};
use nix::{
    errno::Errno,
    sched::CloneFlags,
    unistd::{Gid, Uid, getegid, geteuid, setgroups, setresgid, setresuid},
};

pub use gate::Gate;
pub use map::{IdMap, MapLine};
pub use write::Maps;

/// The new namespaces of this stage.
pub const NAMESPACES: CloneFlags = ch04_mount::NAMESPACES.union(CloneFlags::CLONE_NEWUSER);
// ANCHOR_END: intro

// ANCHOR: options
/// What this chapter adds to the command line.
#[derive(clap::Args, Clone, Debug)]
pub struct IdMapOptions {
    /// Map SIZE user ids: IN inside is OUT outside, and so on (repeatable), or `auto`:
    /// users and groups as /etc/subuid and /etc/subgid grant them [default: 0 is oneself]
    #[arg(long, value_name = "IN:OUT:SIZE")]
    pub uid_map: Vec<UidMap>,

    /// Map SIZE group ids, likewise
    #[arg(long, value_name = "IN:OUT:SIZE")]
    pub gid_map: Vec<MapLine>,

    /// Write no map: everybody is nobody (65534) inside
    #[arg(long, conflicts_with_all = ["uid_map", "gid_map", "user"])]
    pub no_map: bool,

    /// Run the command as this user and group inside
    #[arg(long, value_name = "UID:GID")]
    pub user: Option<User>,
}

/// What `--uid-map` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UidMap {
    /// Oneself as root, and the ids that were granted.
    Auto,
    /// One line.
    Line(MapLine),
}

impl FromStr for UidMap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            Ok(UidMap::Auto)
        } else {
            text.parse().map(UidMap::Line)
        }
    }
}

/// A user and a group, as ids inside: `UID:GID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
}

impl User {
    /// uid 0, gid 0.
    pub const ROOT: User = User { uid: 0, gid: 0 };
}

impl FromStr for User {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (uid, gid) = text.split_once(':').ok_or("write UID:GID, such as 1:1")?;
        let id =
            |id: &str| id.parse().map_err(|_| format!("{id:?} is not an id (0 to 4294967294)"));
        Ok(User {
            uid: id(uid)?,
            gid: id(gid)?,
        })
    }
}
// ANCHOR_END: options

// ANCHOR: maps
impl IdMapOptions {
    /// The maps to write, checked before anything is cloned; `None` with `--no-map`.
    ///
    /// # Errors
    ///
    /// Lines that overlap, a user that no line maps, or no newuidmap(1) where it is needed.
    pub fn maps(&self) -> anyhow::Result<Option<Maps>> {
        if self.no_map {
            return Ok(None);
        }
        let maps = self.lines_or_auto()?;
        if let Some(user) = self.user.filter(|user| !maps.contain(*user)) {
            return Err(Failure::usage(format!(
                "--user {}:{}: the maps do not contain it: uid_map {:?}, gid_map {:?}",
                user.uid,
                user.gid,
                maps.uid.to_string(),
                maps.gid.to_string()
            )));
        }
        Ok(Some(maps))
    }

    /// Whether nothing is said about maps.
    pub fn is_empty(&self) -> bool {
        self.uid_map.is_empty() && self.gid_map.is_empty() && !self.no_map
    }

    fn lines_or_auto(&self) -> anyhow::Result<Maps> {
        if self.uid_map.contains(&UidMap::Auto) {
            if self.uid_map.len() > 1 || !self.gid_map.is_empty() {
                return Err(Failure::usage(
                    "--uid-map auto is the whole of both maps: give no other line",
                ));
            }
            return Maps::of_granted_ids();
        }
        let lines = |given: Vec<MapLine>, own: u32| match given[..] {
            [] => vec![MapLine {
                inside: 0,
                outside: own,
                size: 1,
            }],
            _ => given,
        };
        let uid_lines = self.uid_map.iter().filter_map(|map| match map {
            UidMap::Line(line) => Some(*line),
            UidMap::Auto => None,
        });
        Maps::new(
            IdMap::new("uid_map", lines(uid_lines.collect(), geteuid().as_raw()))?,
            IdMap::new("gid_map", lines(self.gid_map.clone(), getegid().as_raw()))?,
        )
    }
}
// ANCHOR_END: maps

// ANCHOR: become-user
/// Becomes a user of this user namespace, with no supplementary groups where the kernel
/// lets one drop them.
///
/// # Errors
///
/// EINVAL for an id that the map does not contain.
pub fn become_user(user: User) -> anyhow::Result<()> {
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    let allowed =
        || fs::read_to_string("/proc/self/setgroups").is_ok_and(|word| word.trim() == "allow");
    match setgroups(&[]) {
        Err(Errno::EPERM) if !allowed() => {} // the parent wrote "deny" there
        other => other.context("setgroups to none")?,
    }
    setresgid(gid, gid, gid)
        .with_context(|| format!("setresgid to {gid} (EINVAL: gid_map does not contain it)"))?;
    setresuid(uid, uid, uid)
        .with_context(|| format!("setresuid to {uid} (EINVAL: uid_map does not contain it)"))?;
    info!("uid {uid}, gid {gid} in this user namespace");
    die_with_parent() // new ids make the kernel forget the request
}

/// The inode of the first user namespace in /proc/PID/ns, `PROC_USER_INIT_INO` of the kernel.
const FIRST_USER_NAMESPACE: u64 = 0xEFFF_FFFD;

/// Whether this process is root of the machine, and not only of a user namespace. A map of
/// all ids to themselves does not tell: a container's may be just that.
pub fn is_root_outside() -> bool {
    let inode = fs::metadata("/proc/self/ns/user").map(|namespace| namespace.ino());
    geteuid().is_root() && inode.is_ok_and(|inode| inode == FIRST_USER_NAMESPACE)
}
// ANCHOR_END: become-user

// ANCHOR: probe
/// Can a child here be root of its own user namespace, and get more ids than one?
pub fn probe() -> Probe {
    let own = Probe::of(try_maps(Maps::of_own_ids()));
    if geteuid().is_root() {
        own
    } else {
        own.but(try_maps(Maps::of_granted_ids()))
    }
}

fn try_maps(maps: anyhow::Result<Maps>) -> anyhow::Result<()> {
    let maps = maps?;
    let mut gate = Gate::new()?;
    let child = ch01_uts::spawn(NAMESPACES, || {
        gate.wait()?;
        become_user(User::ROOT)?;
        // AppArmor lets one make the namespace and then takes the capabilities away.
        nix::unistd::sethostname("probe").with_context(lab::why::user_namespace)?;
        ch04_mount::rehearse()?;
        std::process::exit(0)
    })?;
    maps.write(child.pid())?;
    gate.open()?;
    let exit = child.wait()?;
    ensure!(exit == lab::Exit::Code(0), "the child ended with {exit}");
    Ok(())
}
// ANCHOR_END: probe
