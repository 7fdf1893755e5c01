// ANCHOR: maps
//! Who may write which map, and how?

use std::{ffi::OsStr, fs, process::Command};

use anyhow::{Context, anyhow, bail, ensure};
use lab::exec::find;
use lab::info;
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
        let needs = [
            ("newuidmap", uid.is_just(geteuid().as_raw()), &uid),
            ("newgidmap", gid.is_just(getegid().as_raw()), &gid),
        ];
        for (helper, own, map) in needs {
            if !geteuid().is_root()
                && !own
                && find(OsStr::new(helper), std::env::var_os("PATH").as_deref()).is_none()
            {
                bail!(
                    "the map \"{map}\" is more than one's own id, which takes {helper}: \
                     install the package uidmap (shadow-utils on some systems)"
                );
            }
        }
        Ok(Maps { uid, gid })
    }

    /// Root inside, oneself outside: what everybody may map.
    pub(crate) fn of_own_ids() -> anyhow::Result<Maps> {
        let line = |outside| {
            vec![MapLine {
                inside: 0,
                outside,
                size: 1,
            }]
        };
        Maps::new(
            IdMap::new("uid_map", line(geteuid().as_raw()))?,
            IdMap::new("gid_map", line(getegid().as_raw()))?,
        )
    }

    /// Every id that this process's own user namespace has, as itself: what root may map.
    ///
    /// # Errors
    ///
    /// /proc is not mounted.
    pub fn identity() -> anyhow::Result<Maps> {
        let map = |name: &str| {
            let file = format!("/proc/self/{name}");
            let text = fs::read_to_string(&file).with_context(|| format!("read {file}"))?;
            IdMap::new(name, text.lines().filter_map(same_ids).collect())
        };
        Maps::new(map("uid_map")?, map("gid_map")?)
    }

    /// Whether both maps contain this user.
    pub fn contain(&self, user: User) -> bool {
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
        lab::why::own_proc()?;
        let root = geteuid().is_root();
        if root || self.gid.is_just(getegid().as_raw()) {
            // ANCHOR: exercise-setgroups
            if !root {
                // Else one could drop a group that a file's permissions deny something to.
                write(pid, "setgroups", "deny")?;
            }
            // ANCHOR_END: exercise-setgroups
            write(pid, "gid_map", &lines_of(&self.gid))?;
        } else {
            run("newgidmap", pid, &self.gid)?;
        }
        // ANCHOR: exercise-uid-map
        if root || self.uid.is_just(geteuid().as_raw()) {
            write(pid, "uid_map", &lines_of(&self.uid))
        } else {
            run("newuidmap", pid, &self.uid)
        }
        // ANCHOR_END: exercise-uid-map
    }
}

/// A line of one's own map, `0 1000 1`, as a line for a child: the ids inside, as themselves.
fn same_ids(line: &str) -> Option<MapLine> {
    let numbers: Vec<u32> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [inside, _, size] = numbers[..] else {
        return None;
    };
    Some(MapLine {
        inside,
        outside: inside,
        size,
    })
}

/// The kernel wants the whole map in one write(2), a line an extent.
fn lines_of(map: &IdMap) -> String {
    // ANCHOR: exercise-lines
    let lines: Vec<String> = map.lines().iter().map(MapLine::to_string).collect();
    lines.join("\n")
    // ANCHOR_END: exercise-lines
}

fn write(pid: Pid, file: &str, text: &str) -> anyhow::Result<()> {
    let shown = text.trim_end().replace('\n', ", ");
    fs::write(format!("/proc/{pid}/{file}"), text).map_err(|error| {
        let rule = match Errno::from_raw(error.raw_os_error().unwrap_or(0)) {
            Errno::EPERM => {
                "each id outside must be mapped in the parent's own user namespace too, \
                 and without CAP_SETUID and CAP_SETGID there only one's own id can be mapped"
            }
            Errno::EINVAL => "lines overlap, or an id is out of range",
            _ => "each map can be written once only, by the parent",
        };
        anyhow!("write {file} \"{shown}\" of {pid}: {error}: {rule} (user_namespaces(7))")
    })?;
    info!("wrote {file} \"{shown}\" of {pid}");
    Ok(())
}

/// newuidmap(1) and newgidmap(1) are root's (set-user-ID) and write what /etc/subuid and
/// /etc/subgid allow this user.
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
        "{helper} refuses the map \"{map}\": {}: it allows one's own id and the ranges in /etc/{}",
        said.trim().trim_start_matches(&format!("{helper}: ")),
        if helper == "newuidmap" {
            "subuid"
        } else {
            "subgid"
        }
    );
    info!("{helper} wrote \"{map}\" for {pid}");
    Ok(())
}
// ANCHOR_END: write
