//! In which namespaces is a process?

use std::{collections::BTreeMap, fs};

use anyhow::{Context, ensure};
use nix::unistd::Pid;

use crate::{Bench, told};

/// The kinds of namespaces that a stage makes, as /proc/PID/ns names them.
pub const KINDS: [&str; 6] = ["ipc", "mnt", "net", "pid", "user", "uts"];

/// Kind → `uts:[4026531838]`.
pub type Namespaces = BTreeMap<&'static str, String>;

/// The namespaces of this process.
///
/// # Errors
///
/// /proc is not mounted.
pub fn own() -> anyhow::Result<Namespaces> {
    of_process("self")
}

/// The namespaces of a process, seen from outside.
///
/// # Errors
///
/// There is no such process, or it is another user's.
pub fn of(pid: Pid) -> anyhow::Result<Namespaces> {
    of_process(&pid.to_string())
}

fn of_process(pid: &str) -> anyhow::Result<Namespaces> {
    let link = |kind| fs::read_link(format!("/proc/{pid}/ns/{kind}")).context("read a link");
    KINDS
        .iter()
        .map(|kind| Ok((*kind, link(kind)?.display().to_string())))
        .collect()
}

/// The namespaces of a stage's command, as it sees them itself.
///
/// # Errors
///
/// The stage fails.
pub fn of_command(bench: &Bench) -> anyhow::Result<Namespaces> {
    read_from(&bench.script(&script()).finish()?.must_end_with(0)?.text())
}

/// A script that writes the names of its namespaces, one a line.
pub fn script() -> String {
    format!("cd /proc/self/ns && for kind in {}; do readlink $kind; done", KINDS.join(" "))
}

/// What that script wrote.
///
/// # Errors
///
/// It wrote something else.
pub fn read_from(text: &str) -> anyhow::Result<Namespaces> {
    let lines: Vec<&str> = text.lines().collect();
    ensure!(lines.len() == KINDS.len(), "readlink wrote {text}", text = told(&text));
    Ok(KINDS.iter().zip(lines).map(|(kind, line)| (*kind, line.to_owned())).collect())
}
