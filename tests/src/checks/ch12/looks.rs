//! What does the kernel say of the terminals of a process?

use std::{fs, os::unix::fs::MetadataExt};

use anyhow::{Context, ensure};
use nix::unistd::Pid;

use crate::{
    process::{children_of, session_of},
    told,
};

/// A terminal.
pub(super) struct Device {
    /// Its file: the same number is another terminal in another devpts.
    file: (u64, u64),
    /// The session whose terminal it is: it can be no other session's.
    session: Pid,
}

impl Device {
    /// The one on which this process leads a session, and its standard input.
    pub(super) fn of_terminal(pid: Pid) -> anyhow::Result<Device> {
        let data = fs::metadata(format!("/proc/{pid}/fd/0")).context("stat the terminal")?;
        let (session, number) = session_of(pid)?;
        ensure!(number != 0, "the shell has no terminal");
        Ok(Device {
            file: (data.dev(), data.ino()),
            session,
        })
    }
}

/// All processes below this one that are in another PID namespace.
pub(super) fn all_below(pid: Pid) -> anyhow::Result<Vec<Pid>> {
    let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/pid"));
    let own = namespace("self")?;
    let (mut inside, mut open) = (Vec::new(), vec![pid]);
    while let Some(pid) = open.pop() {
        open.extend(children_of(pid).unwrap_or_default()); // one may end meanwhile
        if namespace(&pid.to_string()).is_ok_and(|other| other != own) {
            inside.push(pid);
        }
    }
    Ok(inside)
}

/// The process must neither have this terminal open nor have it as its session's.
pub(super) fn must_not_have(pid: Pid, terminal: &Device) -> anyhow::Result<()> {
    let folder = format!("/proc/{pid}/fd");
    let mut seen = 0;
    for entry in fs::read_dir(&folder).with_context(|| format!("read {folder}"))? {
        let path = entry?.path();
        let Ok(data) = fs::metadata(&path) else {
            continue; // closed meanwhile
        };
        seen += 1;
        ensure!(
            (data.dev(), data.ino()) != terminal.file,
            "a process inside has your terminal open: {path}",
            path = told(&path)
        );
    }
    ensure!(seen > 0, "{folder} is empty");
    ensure!(session_of(pid)?.0 != terminal.session, "a process inside is in your session");
    Ok(())
}
