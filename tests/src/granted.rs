//! How does an ordinary user get further ids for a test?
//!
//! root puts other files in place of /etc/subuid and the like, in the judge's own mount namespace.

use std::{fs, path::Path};

use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    unistd::{User, geteuid},
};

use crate::{Bench, Outcome};

/// Runs `check` while the ordinary user is granted the ids from 100000 on; skips where that cannot
/// be.
///
/// # Errors
///
/// What does not hold.
pub fn with_granted_ids(
    bench: &Bench,
    check: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    with_ids_in_files(bench, "learner:100000:65536\n", check)
}

/// Likewise; whatever ids the machine grants its user will do.
///
/// # Errors
///
/// What does not hold.
pub fn with_any_granted_ids(
    bench: &Bench,
    check: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    if geteuid().is_root() || !Path::new("/usr/bin/newuidmap").exists() || !has_own_ids() {
        return with_granted_ids(bench, check);
    }
    check()?;
    Ok(Outcome::Holds)
}

/// Whether the administrator has granted some to this process's user (subuid(5), subgid(5)).
fn has_own_ids() -> bool {
    let id = geteuid();
    let name = User::from_uid(id).ok().flatten().map(|user| user.name);
    let owners = [Some(id.to_string()), name];
    ["/etc/subuid", "/etc/subgid"].iter().all(|file| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.any(|(owner, _)| owners.iter().flatten().any(|one| one == owner))
    })
}

/// Likewise, with this text in /etc/subuid and /etc/subgid, for the user `learner`.
///
/// # Errors
///
/// What does not hold.
pub fn with_ids_in_files(
    bench: &Bench,
    granted: &str,
    check: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    if !Path::new("/usr/bin/newuidmap").exists() {
        return Ok(Outcome::Skipped(
            "newuidmap is not installed: install the package uidmap".into(),
        ));
    }
    if !geteuid().is_root() {
        return Ok(Outcome::Skipped(
            "only root can grant ids for a test, in a mount namespace of the judge's".into(),
        ));
    }
    let uid = bench.user.uid();
    let gid = bench.user.gid();
    let passwd = format!("root:x:0:0::/root:/bin/sh\nlearner:x:{uid}:{gid}::/:/bin/sh\n");
    let group = format!("root:x:0:\nlearner:x:{gid}:\n");
    let files = [
        ("/etc/passwd", passwd.as_str()),
        ("/etc/group", &group),
        ("/etc/subuid", granted),
        ("/etc/subgid", granted),
    ];
    if let Some((file, _)) = files.iter().find(|(file, _)| !Path::new(file).exists()) {
        return Ok(Outcome::Skipped(format!("there is no {file} to put another in its place")));
    }
    let _etc = Etc::with(bench, &files)?;
    check()?;
    Ok(Outcome::Holds)
}

/// The files that have another in their place, until this is dropped.
struct Etc(Vec<&'static str>);

impl Etc {
    fn with(bench: &Bench, files: &[(&'static str, &str)]) -> anyhow::Result<Etc> {
        let mut etc = Etc(Vec::new());
        for (file, text) in files {
            let name = file.rsplit('/').next().unwrap_or(file);
            let substitute = bench.file(name, text, 0o644)?;
            let none: Option<&str> = None;
            mount(Some(&substitute), *file, none, MsFlags::MS_BIND, none)?;
            etc.0.push(file);
        }
        Ok(etc)
    }
}

impl Drop for Etc {
    fn drop(&mut self) {
        for file in &self.0 {
            let _ = umount2(*file, MntFlags::MNT_DETACH);
        }
    }
}
