// ANCHOR: all
//! How does one process find the container that another one started?
//!
//! `run --name NAME` keeps a file NAME while its container runs. It says who keeps it, and
//! which process is the container's PID 1, as seen outside:
//!
//! ```text
//! pids 4026531836
//! keeper 4242 67890
//! container 4244 67893
//! ```
//!
//! A pid alone says nothing once its process has ended: another one may get it. With the
//! start time it is a name that no later process gets, so whoever reads the file can tell
//! an entry that a SIGKILL has left. The first line is the PID namespace (the inode of
//! /proc/PID/ns/pid) in which the pids mean something: in another one, nobody can tell.

use std::{
    ffi::OsStr,
    fs,
    io::{self, ErrorKind, Write},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use ch07_cgroup_memory::group::start_time;
use lab::exec::shown;
use log::{info, warn};
use nix::unistd::Pid;

use crate::{Name, folder::Folder};

/// A process that cannot be mistaken for a later one with the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Started {
    /// Its pid.
    pub pid: Pid,
    /// When it started, in clock ticks since boot (field 22 of proc_pid_stat(5)).
    pub start: u64,
}

impl Started {
    /// The process that has this pid now; `None` if none has, or if it has ended.
    pub fn now(pid: Pid) -> Option<Started> {
        start_time(pid).map(|start| Started { pid, start })
    }

    /// Whether it still runs.
    pub fn runs(self) -> bool {
        Started::now(self.pid) == Some(self)
    }

    fn from_words(words: &str) -> Option<Started> {
        let (pid, start) = words.split_once(' ')?;
        Some(Started { pid: Pid::from_raw(pid.parse().ok()?), start: start.parse().ok()? })
    }
}

/// What a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    pids: u64,
    keeper: Started,
    /// `None` until the container is set up.
    container: Option<Started>,
}

impl State {
    fn parse(text: &str) -> Option<State> {
        let field = |name: &str| text.lines().find_map(|line| Started::from_words(line.strip_prefix(name)?));
        let pids = text.lines().find_map(|line| line.strip_prefix("pids ")?.parse().ok())?;
        Some(State { pids, keeper: field("keeper ")?, container: field("container ") })
    }

    fn text(&self) -> String {
        let line = |name: &str, process: Started| format!("{name} {} {}\n", process.pid, process.start);
        let keeper = format!("pids {}\n", self.pids) + &line("keeper", self.keeper);
        keeper + &self.container.map(|process| line("container", process)).unwrap_or_default()
    }

    /// The process that the entry stands for.
    fn shown(&self) -> Started {
        self.container.unwrap_or(self.keeper)
    }

    /// Whether it is of this process's PID namespace: else nothing can be said about it.
    fn is_ours(&self) -> anyhow::Result<bool> {
        Ok(self.pids == pid_namespace()?)
    }

    fn is_left_over(&self) -> bool {
        !self.shown().runs()
    }
}

/// The PID namespace of this process.
fn pid_namespace() -> anyhow::Result<u64> {
    lab::why::own_proc()?;
    Ok(fs::metadata("/proc/self/ns/pid").context("stat /proc/self/ns/pid")?.ino())
}

/// The entry of a container that this process keeps. Its file is removed when it is dropped.
#[derive(Debug)]
pub struct Entry {
    file: PathBuf,
    keeper: Started,
}

impl Entry {
    /// Takes a name, before anything is cloned.
    ///
    /// # Errors
    ///
    /// A container that runs has it; the folder cannot be made, or is not one's own.
    pub fn take(name: &Name) -> anyhow::Result<Entry> {
        let folder = Folder::make(&Folder::path_of_ours()?)?;
        let file = folder.path().join(name.as_str());
        if let Some(state) = read(&file)? {
            ensure!(state.is_ours()?, "the name {name} is taken, in another PID namespace");
            ensure!(state.is_left_over(), "the name {name} is taken, by process {}", state.shown().pid);
        }
        let keeper = Started::now(Pid::this()).context("read one's own start time from /proc/PID/stat")?;
        let entry = Entry { file, keeper };
        entry.write(None)?;
        Ok(entry)
    }

    /// Says which process is the container's PID 1: from now on one can go in.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn record(&self, init: Pid) -> anyhow::Result<()> {
        // A container that has ended by now has nobody to let in.
        let Some(container) = Started::now(init) else { return Ok(()) };
        let _locked = self.folder()?;
        self.write(Some(container))?;
        info!("recorded: {} is PID 1 of {}", container.pid, self.file.file_name().unwrap_or_default().display());
        Ok(())
    }

    fn folder(&self) -> anyhow::Result<Folder> {
        Folder::make(self.file.parent().context("an entry is in a folder")?)
    }

    fn write(&self, container: Option<Started>) -> anyhow::Result<()> {
        let text = State { pids: pid_namespace()?, keeper: self.keeper, container }.text();
        fs::write(&self.file, text).with_context(|| format!("write {}", self.file.display()))
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let removed = self.folder().and_then(|folder| {
            fs::remove_file(&self.file).with_context(|| format!("remove {}", self.file.display()))?;
            folder.remove_if_empty();
            Ok(())
        });
        if let Err(error) = removed {
            warn!("{error:#}"); // the next reader sees that it is left over
        }
    }
}

/// The containers that run, by name. Entries that a SIGKILL left are cleared.
///
/// # Errors
///
/// The folder is not one's own, or cannot be read.
pub fn running() -> anyhow::Result<Vec<(String, Started)>> {
    let mut found = Vec::new();
    let Some(folder) = Folder::open(&Folder::path_of_ours()?)? else { return Ok(found) };
    for entry in fs::read_dir(folder.path()).with_context(|| format!("read {}", folder.path().display()))? {
        let file = entry.with_context(|| format!("read {}", folder.path().display()))?.path();
        let name = file.file_name().unwrap_or_default().display().to_string();
        match read(&file)? {
            Some(state) if !state.is_ours()? => info!("{name}: of another PID namespace"),
            Some(State { container: Some(container), .. }) if container.runs() => found.push((name, container)),
            Some(state) if !state.is_left_over() => info!("{name}: not set up yet"),
            _ => {
                fs::remove_file(&file).with_context(|| format!("remove {}", file.display()))?;
                info!("{name}: it was killed, its entry is cleared");
            }
        }
    }
    folder.remove_if_empty();
    found.sort();
    Ok(found)
}

/// Writes a table of the containers that run to standard output.
///
/// # Errors
///
/// As [`running`]; standard output cannot be written.
pub fn ps() -> anyhow::Result<()> {
    let mut table = vec![["NAME".to_owned(), "PID".to_owned(), "COMMAND".to_owned()]];
    for (name, container) in running()? {
        // One that has ended meanwhile has no command any more.
        let line = fs::read(format!("/proc/{}/cmdline", container.pid)).unwrap_or_default();
        let words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        let words: Vec<String> = words.map(|word| shown(OsStr::from_bytes(word))).collect();
        table.push([name, container.pid.to_string(), words.join(" ")]);
    }
    let width = |column: usize| table.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (names, pids) = (width(0), width(1));
    let mut out = io::stdout().lock();
    for [name, pid, command] in &table {
        writeln!(out, "{name:names$}  {pid:pids$}  {command}").context("write the table")?;
    }
    Ok(())
}

/// The PID 1 of the container that is called so.
///
/// # Errors
///
/// There is none, it is not set up yet, or it has ended.
pub fn named(name: &Name) -> anyhow::Result<Started> {
    let folder = Folder::open(&Folder::path_of_ours()?)?;
    let state = folder.map(|folder| read(&folder.path().join(name.as_str()))).transpose()?.flatten();
    let Some(state) = state else { bail!("no container is called {name}: `ps` lists those that run") };
    ensure!(state.is_ours()?, "{name} is a container of another PID namespace");
    match state.container {
        _ if state.is_left_over() => {
            bail!("{name} has ended: process {} is gone, or is another one by now", state.shown().pid)
        }
        Some(container) => Ok(container),
        None => bail!("{name} is not set up yet: try again"),
    }
}

/// `None` if there is no such entry, or only the beginning of one, which a SIGKILL left.
fn read(file: &Path) -> anyhow::Result<Option<State>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(State::parse(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read {}", file.display())),
    }
}
// ANCHOR_END: all

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let process = |pid, start| Started { pid: Pid::from_raw(pid), start };
        for container in [None, Some(process(4244, 67893))] {
            let state = State { pids: 4026531836, keeper: process(4242, 67890), container };
            assert_eq!(State::parse(&state.text()), Some(state));
        }
        for text in ["", "pids 1\nkeeper 4242", "pids 1\nkeeper 4242 x\n", "keeper 4242 1\n", "pids 1\ncontainer 1 2\n"]
        {
            assert_eq!(State::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_process_with_another_start_time_is_another_process() {
        let myself = Started::now(Pid::this()).unwrap();
        assert!(myself.runs());
        assert!(!Started { start: myself.start + 1, ..myself }.runs());
    }
}
