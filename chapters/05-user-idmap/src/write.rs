// ANCHOR: maps
//! Who may write which map, and how?

use std::{ffi::OsStr, fs, process::Command};

use anyhow::{Context, anyhow, ensure};
use lab::{debug, exec::find, info};
use nix::{
    errno::Errno,
    unistd::{Pid, getegid, geteuid},
};

use crate::{IdMap, MapLine, User};

/// The two maps of a user namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maps {
    /// Which users there are inside.
    pub uid: IdMap,
    /// Which groups there are inside.
    pub gid: IdMap,
}

impl Maps {
    /// Two maps that this process has the means to write.
    ///
    /// # Errors
    ///
    /// An ordinary user's map needs newuidmap(1) or newgidmap(1), and it is not installed.
    pub fn new(uid: IdMap, gid: IdMap) -> anyhow::Result<Maps> {
        let maps = Maps { uid, gid };
        if !geteuid().is_root() {
            require("newuidmap", &maps.uid, geteuid().as_raw())?;
            require("newgidmap", &maps.gid, getegid().as_raw())?;
        }
        Ok(maps)
    }

    /// Root inside is this user outside: a map that takes no privilege.
    ///
    /// # Errors
    ///
    /// None, with these lines.
    pub fn of_own_ids() -> anyhow::Result<Maps> {
        let map = |name: &str, own: u32| IdMap::new(name, vec![MapLine::root(own)]);
        let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
        Maps::new(map("uid_map", uid)?, map("gid_map", gid)?)
    }

    /// Every id of this process's own user namespace, mapped to itself: what root may map.
    ///
    /// # Errors
    ///
    /// /proc is not mounted; as [`Maps::new`].
    pub fn identity() -> anyhow::Result<Maps> {
        Maps::of_every_id().and_then(|maps| Maps::new(maps.uid, maps.gid))
    }

    fn of_every_id() -> anyhow::Result<Maps> {
        let map = |name: &str| {
            let file = format!("/proc/self/{name}");
            let text = fs::read_to_string(&file).with_context(|| format!("read {file}"))?;
            let as_itself = |line: MapLine| MapLine {
                outside: line.inside,
                ..line
            };
            IdMap::new(name, MapLine::of_file(&text).into_iter().map(as_itself).collect())
        };
        Ok(Maps {
            uid: map("uid_map")?,
            gid: map("gid_map")?,
        })
    }

    /// Whether both maps contain this user.
    pub fn contains(&self, user: User) -> bool {
        self.uid.contains(user.uid) && self.gid.contains(user.gid)
    }
    // ANCHOR_END: maps

    // ANCHOR: write
    /// Writes the maps of the user namespace of process `pid`, which waits at the gate.
    /// A map can be written once only.
    ///
    /// # Errors
    ///
    /// The kernel refuses a map, and the error names the rule; newuidmap(1) refuses it.
    pub fn write(&self, pid: Pid) -> anyhow::Result<()> {
        lab::diagnose::require_own_proc()?;
        self.write_both(pid)?;
        match lab::log::is_on() && *self == Maps::of_every_id()? {
            true => debug!("maps: every id is itself outside"),
            false => info!("maps: uid {} outside, gid {}", self.uid.first(), self.gid.first()),
        }
        Ok(())
    }

    fn write_both(&self, pid: Pid) -> anyhow::Result<()> {
        let root = geteuid().is_root();
        if root || self.gid.maps_only(getegid().as_raw()) {
            // ANCHOR: exercise-setgroups
            if !root {
                // Else a process inside could drop a group to which a file denies access.
                write(pid, "setgroups", "deny")?;
            }
            // ANCHOR_END: exercise-setgroups
            write(pid, "gid_map", &self.gid.text())?;
        } else {
            run("newgidmap", pid, &self.gid)?;
        }
        // ANCHOR: exercise-uid-map
        if root || self.uid.maps_only(geteuid().as_raw()) {
            write(pid, "uid_map", &self.uid.text())
        } else {
            run("newuidmap", pid, &self.uid)
        }
        // ANCHOR_END: exercise-uid-map
    }
}

/// Writes a file of another process in one write(2).
fn write(pid: Pid, file: &str, text: &str) -> anyhow::Result<()> {
    let shown = text.trim_end().replace('\n', ", ");
    fs::write(format!("/proc/{pid}/{file}"), text).map_err(|error| {
        let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
        anyhow!("write {file} \"{shown}\" of {pid}: {error}: {}", rule(file, errno))
    })?;
    debug!("wrote {file} \"{shown}\" of {pid}");
    Ok(())
}

/// Which rule of user_namespaces(7) may have been broken.
fn rule(file: &str, errno: Errno) -> &'static str {
    match (file, errno) {
        ("setgroups", _) => "it can be written only before gid_map (user_namespaces(7))",
        (_, Errno::EPERM) if geteuid().is_root() => {
            "each id outside must be mapped in this user namespace, a map is written once only, \
             and mapping uid 0 of this namespace takes CAP_SETFCAP (user_namespaces(7))"
        }
        (_, Errno::EPERM) => {
            "without CAP_SETUID and CAP_SETGID you can map your own id only, gid_map only after \
             writing \"deny\" to setgroups, and each map once only (user_namespaces(7))"
        }
        (_, Errno::EINVAL) => "lines overlap, or an id is out of range (user_namespaces(7))",
        _ => "see user_namespaces(7)",
    }
}

/// An ordinary user writes a map of the user's own id. Any other map takes a helper.
fn require(helper: &str, map: &IdMap, own: u32) -> anyhow::Result<()> {
    let is_there = || find(OsStr::new(helper), std::env::var_os("PATH").as_deref()).is_some();
    ensure!(
        map.maps_only(own) || is_there(),
        "the map \"{map}\" has more than your own id and takes {helper}, which is not in PATH: \
         install the package uidmap (shadow-utils on some systems)"
    );
    Ok(())
}

/// newuidmap(1) and newgidmap(1) are installed with CAP_SETUID and CAP_SETGID (set-user-ID root
/// or file capabilities), and write what /etc/subuid and /etc/subgid grant this user.
fn run(helper: &str, pid: Pid, map: &IdMap) -> anyhow::Result<()> {
    let mut command = Command::new(helper);
    command.arg(pid.to_string());
    for line in map.lines() {
        command.args([line.inside, line.outside, line.size].map(|number| number.to_string()));
    }
    let output = command.output().with_context(|| format!("run {helper}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{helper} refuses the map \"{map}\": {}: it accepts your own id and your ranges in /etc/{}",
        said.trim().trim_start_matches(&format!("{helper}: ")),
        if helper == "newuidmap" {
            "subuid"
        } else {
            "subgid"
        }
    );
    debug!("{helper} wrote \"{map}\" for {pid}");
    Ok(())
}
// ANCHOR_END: write
