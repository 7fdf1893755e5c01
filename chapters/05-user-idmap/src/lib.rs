// ANCHOR: intro
//! uid_map, gid_map, setgroups, and the gate between parent and child.
//!
//! In a new user namespace a process has every capability, and ids that nothing maps: they are
//! shown as 65534. The parent writes the maps from outside (a process inside may map its own id
//! only), and the child waits for that at the [`Gate`]. If it executed a program before, it
//! would lose the capabilities: execve(2) gives them to id 0 inside, and 0 is not mapped yet.
//!
//! | module or item | question it answers |
//! |---|---|
//! | `map` | which ids inside are which outside? |
//! | `write` | who writes the map, and in which order? |
//! | `subid` | which further ids may an ordinary user have? |
//! | `gate` | how does the child wait for its map? |
//! | [`IdMapOptions`] | which maps, and which user, does the command line request? |
//! | [`become_user`] | how does a process become another user inside? |
//!
//! Source: user_namespaces(7), capabilities(7), newuidmap(1).

mod gate;
mod map;
mod subid;
mod write;

use std::str::FromStr;

use anyhow::{Context, ensure};
use ch01_uts::{CLONE_NEWUTS, spawn};
use ch02_ipc::CLONE_NEWIPC;
use ch03_pid::CLONE_NEWPID;
use ch04_mount::CLONE_NEWNS;
use lab::{
    Exit, Failure, Kind, Namespaces, Probe, debug, diagnose::explain_refused_user_namespace, info,
};
use nix::{
    errno::Errno,
    sys::prctl,
    unistd::{Gid, Uid, getegid, geteuid, setgroups, sethostname, setresgid, setresuid},
};

pub use gate::Gate;
pub use map::{IdMap, MapLine};
pub use write::Maps;

/// A new user namespace (user_namespaces(7)).
pub const CLONE_NEWUSER: Namespaces = Namespaces::of(Kind::User);

/// The namespaces of this chapter's containers.
const SO_FAR: Namespaces = CLONE_NEWUTS
    .and(CLONE_NEWIPC)
    .and(CLONE_NEWPID)
    .and(CLONE_NEWNS)
    .and(CLONE_NEWUSER);
// ANCHOR_END: intro

// ANCHOR: options
/// What this chapter adds to the command line.
#[derive(clap::Args, Clone, Debug)]
pub struct IdMapOptions {
    /// Map SIZE user ids: IN inside is OUT outside, and so on (repeatable). `auto` maps you
    /// and what /etc/subuid and /etc/subgid grant you [default: 0 is you]
    #[arg(long, value_name = "IN:OUT:SIZE")]
    pub uid_map: Vec<UidMap>,

    /// Map SIZE group ids in the same way (repeatable)
    #[arg(long, value_name = "IN:OUT:SIZE")]
    pub gid_map: Vec<MapLine>,

    /// Write no map: ids are shown as 65534 inside, and the files outside stay yours
    #[arg(long, conflicts_with_all = ["uid_map", "gid_map", "user"])]
    pub no_map: bool,

    /// Run the command as this user and group inside
    #[arg(long, value_name = "UID:GID")]
    pub user: Option<User>,
}

/// What `--uid-map` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UidMap {
    /// The caller as root, and the ids that were granted.
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
        let id = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            // u32::MAX is (uid_t) -1, which means "no id".
            let id = text.parse().ok().filter(|id| digits && *id != u32::MAX);
            id.ok_or_else(|| format!("{text:?} is not an id (0 to 4294967294)"))
        };
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
        if let Some(user) = self.user.filter(|user| !maps.contains(*user)) {
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

    /// Whom the child becomes first: root, or the command's user if the maps have no id 0.
    pub fn first_user(&self, maps: &Maps) -> User {
        self.user.filter(|_| !maps.contains(User::ROOT)).unwrap_or(User::ROOT)
    }

    /// Whether the command line has no option about maps.
    pub fn is_empty(&self) -> bool {
        self.uid_map.is_empty() && self.gid_map.is_empty() && !self.no_map
    }

    fn lines_or_auto(&self) -> anyhow::Result<Maps> {
        if self.uid_map.contains(&UidMap::Auto) {
            if self.uid_map.len() > 1 || !self.gid_map.is_empty() {
                return Err(Failure::usage(
                    "--uid-map auto writes both maps: leave out the other --uid-map and --gid-map",
                ));
            }
            return Maps::of_granted_ids();
        }
        let lines = |given: Vec<MapLine>, own: u32| match given[..] {
            [] => vec![MapLine::root(own)],
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
/// Becomes a user of this user namespace, without supplementary groups where they can be dropped.
///
/// # Errors
///
/// EINVAL: the map does not contain the id.
pub fn become_user(user: User) -> anyhow::Result<()> {
    let at_the_parents_end = prctl::get_pdeathsig().context("prctl PR_GET_PDEATHSIG")?;
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    match setgroups(&[]) {
        // After "deny" in /proc/PID/setgroups, the caller's groups stay.
        Err(Errno::EPERM) => debug!("setgroups: not permitted"),
        other => other.context("setgroups to none")?,
    }
    setresgid(gid, gid, gid)
        .with_context(|| format!("setresgid to {gid} (EINVAL: gid_map does not contain it)"))?;
    setresuid(uid, uid, uid)
        .with_context(|| format!("setresuid to {uid} (EINVAL: uid_map does not contain it)"))?;
    match user {
        User::ROOT => debug!("uid {uid}, gid {gid} in this user namespace"),
        _ => info!("uid {uid}, gid {gid} in this user namespace"),
    }
    // New ids make the kernel forget this request (PR_SET_PDEATHSIG, prctl(2)).
    prctl::set_pdeathsig(at_the_parents_end).context("prctl PR_SET_PDEATHSIG")
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
    let gate = Gate::new()?;
    let child = spawn(SO_FAR, || {
        gate.wait()?;
        become_user(User::ROOT)?;
        // AppArmor lets you make the namespace and then takes the capabilities away.
        sethostname("probe").with_context(explain_refused_user_namespace)?;
        ch04_mount::rehearse()?;
        Ok(Exit::Code(0))
    })?;
    maps.write(child.pid())?;
    gate.open()?;
    let exit = child.wait()?;
    ensure!(exit == Exit::Code(0), "the child ended with {exit}");
    Ok(())
}
// ANCHOR_END: probe

#[cfg(test)]
mod properties;
