//! What does each chapter say of this machine?

use judge::chapters::CHAPTERS;
use lab::Probe;

/// A chapter's name, and what its probe found.
pub type Answer = (&'static str, Probe);

/// The chapters' probes, lowest first. A probe finds out by trying.
const PROBES: [fn() -> Probe; CHAPTERS.len()] = [
    ch01_uts::probe,
    ch02_ipc::probe,
    ch03_pid::probe,
    ch04_mount::probe,
    ch05_user_idmap::probe,
    ch06_reexec::probe,
    ch07_cgroup_memory::probe,
    ch08_pipe_init::probe,
    ch09_aufs::probe,
    ch10_names::probe,
    ch11_nsenter::probe,
    ch12_walls::probe,
    ch13_privileges::probe,
];

/// The answers of all chapters, one after the other.
pub fn all() -> impl Iterator<Item = Answer> {
    CHAPTERS.iter().zip(PROBES).map(|(chapter, probe)| (chapter.name, probe()))
}

/// The answer of one chapter; `None` if there is no chapter of this name.
pub fn one(name: &str) -> Option<Probe> {
    let found = CHAPTERS.iter().position(|chapter| chapter.name == name)?;
    Some(PROBES[found]())
}
