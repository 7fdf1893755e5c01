// ANCHOR: rootfs
//! Where does a small root file system come from, without a network?
//!
//! From this machine: a static busybox if there is one, else the shell and a few tools
//! of the host, with the shared libraries that they need.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};
use nix::sys::stat::{Mode, umask};

use crate::exec::find;

/// The host's tools that are copied where there is no static busybox; `sh` must be there.
const TOOLS: [&str; 41] = [
    "sh", "cat", "chmod", "chown", "cp", "cut", "date", "dd", "df", "echo", "env", "false", "find",
    "grep", "head", "hostname", "id", "ip", "kill", "ln", "ls", "mkdir", "mknod", "mount", "mv",
    "ps", "pwd", "readlink", "rm", "rmdir", "sed", "seq", "sleep", "stat", "su", "touch", "true",
    "umount", "uname", "wc", "whoami",
];

const FOLDERS: [&str; 9] = ["bin", "dev", "etc", "mnt", "proc", "root", "run", "sys", "var"];

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n";
const GROUP: &str = "root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n";

/// While it lives, files are made with the usual permissions (umask(2) 022), whatever the
/// caller's are: a root file system is for more users than one.
pub struct UsualUmask(Mode);

impl UsualUmask {
    /// Changes this process's umask.
    #[must_use]
    pub fn set() -> UsualUmask {
        UsualUmask(umask(Mode::S_IWGRP | Mode::S_IWOTH))
    }
}

impl Drop for UsualUmask {
    fn drop(&mut self) {
        umask(self.0);
    }
}

/// Builds a root file system in `root`, a folder that is new or empty.
///
/// # Errors
///
/// `root` holds something already or cannot be written, or the host has neither a static
/// busybox nor a shell.
pub fn build(root: &Path) -> anyhow::Result<()> {
    let _umask = UsualUmask::set();
    fs::create_dir_all(root).with_context(|| format!("create {}", root.display()))?;
    if fs::read_dir(root)
        .with_context(|| format!("read {}", root.display()))?
        .next()
        .is_some()
    {
        bail!("{} is not empty: name a new folder", root.display());
    }
    for folder in FOLDERS {
        fs::create_dir(root.join(folder))
            .with_context(|| format!("create {folder} in {}", root.display()))?;
    }
    let tmp = root.join("tmp");
    fs::create_dir(&tmp).with_context(|| format!("create {}", tmp.display()))?;
    fs::set_permissions(&tmp, fs::Permissions::from_mode(0o1777))
        .with_context(|| format!("chmod {}", tmp.display()))?;
    for (name, text) in [("etc/passwd", PASSWD), ("etc/group", GROUP)] {
        fs::write(root.join(name), text)
            .with_context(|| format!("write {name} in {}", root.display()))?;
    }
    match on_host("busybox").filter(|busybox| fs::read(busybox).is_ok_and(|file| is_static(&file)))
    {
        Some(busybox) => from_busybox(&busybox, root),
        None => from_host(root),
    }
}

fn from_busybox(busybox: &Path, root: &Path) -> anyhow::Result<()> {
    copy(busybox, &root.join("bin/busybox"))?;
    let list = Command::new(busybox)
        .arg("--list")
        .output()
        .with_context(|| format!("run {}", busybox.display()))?;
    for applet in String::from_utf8_lossy(&list.stdout)
        .lines()
        .filter(|applet| *applet != "busybox")
    {
        let link = root.join("bin").join(applet);
        symlink("busybox", &link).with_context(|| format!("link {}", link.display()))?;
    }
    Ok(())
}

fn from_host(root: &Path) -> anyhow::Result<()> {
    let mut needed = BTreeSet::new();
    for tool in TOOLS {
        let Some(file) = on_host(tool) else {
            if tool == "sh" {
                bail!("this machine has neither a static busybox nor sh in PATH");
            }
            continue;
        };
        copy(&file, &root.join("bin").join(tool))?;
        needed.extend(libraries(&file)?);
    }
    for library in needed {
        let place = root.join(library.strip_prefix("/").unwrap_or(&library));
        let folder = place.parent().unwrap_or(root);
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        copy(&library, &place)?;
    }
    Ok(())
}

fn on_host(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let wider =
        [path.as_os_str(), OsStr::new("/usr/bin:/bin:/usr/sbin:/sbin")].join(OsStr::new(":"));
    find(OsStr::new(tool), Some(&wider))
}

/// Whether a program needs no loader: none of its program headers asks for one (elf(5)).
/// ldd(1) would know too, but where there is only a busybox there is no ldd.
fn is_static(elf: &[u8]) -> bool {
    const PT_INTERP: usize = 3;
    let number = |at: usize, size: usize| {
        let bytes = elf.get(at..at + size)?;
        Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte)))
    };
    let kinds = || {
        let (start, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        (0..count)
            .map(|header| number(start + header * size, 4))
            .collect::<Option<Vec<_>>>()
    };
    elf.starts_with(b"\x7fELF\x02\x01") && kinds().is_some_and(|kinds| !kinds.contains(&PT_INTERP))
}

/// The shared libraries and the loader of a program, as ldd(1) lists them: lines of
/// `name => /path (address)` or `/path (address)`. None for a static program.
fn libraries(program: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let answer = Command::new("ldd").arg(program).output().context("run ldd")?;
    let words = String::from_utf8_lossy(&answer.stdout).into_owned();
    let paths = words
        .split_whitespace()
        .filter(|word| word.starts_with('/') && !word.ends_with(':'));
    Ok(paths.map(PathBuf::from).collect())
}

/// Copies a file, or what a symbolic link points to, with its permissions but no set-user-ID bit.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let what = || format!("copy {} to {}", from.display(), to.display());
    fs::copy(from, to).with_context(what)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).with_context(what)
}
// ANCHOR_END: rootfs

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_static_program_names_no_loader() {
        let own = fs::read("/proc/self/exe").expect("this test has a file");
        assert_eq!(is_static(&own), cfg!(target_feature = "crt-static"));
        assert!(!is_static(&own[..100]), "not all of its headers are there");
        assert!(!is_static(b"#!/bin/sh\n"));
    }
}
