// ANCHOR: all
//! How does one process find the container that another one started?
//!
//! `run --name NAME` keeps a file NAME while its container runs. It says which process is
//! this `run`, which is the container's PID 1, and where these numbers mean something:
//!
//! ```text
//! boot 0b5a3b0c-2c43-4d0e-9b8e-6f6f3c1d2a77
//! seen from pid:[4026531836] time:[4026531834]
//! run 4242 67890
//! container 4244 67893
//! ```
//!
//! A pid alone says nothing once its process has ended: another one may get it. With the
//! start time it is a name that no later process of the same boot gets, so whoever reads the
//! file can tell an entry that a SIGKILL has left. In another PID namespace the pids are
//! others, in another time namespace the start times: from there, nobody can tell.

use std::{
    ffi::OsStr,
    fs,
    io::{self, ErrorKind, Write},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use lab::exec::shown;
use lab::{info, warn};
use nix::unistd::Pid;

use crate::{Name, Started, folder::Folder};

/// Where pids and start times mean what a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    /// The boot of this machine (/proc/sys/kernel/random/boot_id).
    boot: String,
    /// The PID namespace, and the time namespace if the kernel has them.
    seen_from: String,
}

impl Origin {
    /// This process's.
    fn ours() -> anyhow::Result<Origin> {
        lab::why::own_proc()?;
        let boot =
            fs::read_to_string("/proc/sys/kernel/random/boot_id").context("read this boot's id")?;
        let link = |kind| {
            fs::read_link(format!("/proc/self/ns/{kind}")).map(|link| link.display().to_string())
        };
        let (pid, time) = (
            link("pid").context("read the link /proc/self/ns/pid")?,
            link("time").unwrap_or_default(),
        );
        Ok(Origin {
            boot: boot.trim().to_owned(),
            seen_from: format!("{pid} {time}").trim_end().to_owned(),
        })
    }
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    origin: Origin,
    run: Started,
    /// `None` until the container is set up.
    container: Option<Started>,
}

impl State {
    fn parse(text: &str) -> Option<State> {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let origin = Origin {
            boot: field("boot ")?.to_owned(),
            seen_from: field("seen from ")?.to_owned(),
        };
        let run = Started::from_words(field("run ")?)?;
        Some(State {
            origin,
            run,
            container: field("container ").and_then(Started::from_words),
        })
    }

    fn text(&self) -> String {
        let line =
            |name: &str, process: Started| format!("{name} {} {}\n", process.pid, process.start);
        let origin = format!("boot {}\nseen from {}\n", self.origin.boot, self.origin.seen_from);
        origin
            + &line("run", self.run)
            + &self.container.map(|process| line("container", process)).unwrap_or_default()
    }

    /// Whether this process can tell what its pids mean: else nothing can be said about it.
    fn can_be_told(&self) -> anyhow::Result<bool> {
        let ours = Origin::ours()?;
        Ok(self.origin.boot != ours.boot || self.origin == ours)
    }

    /// The container's PID 1, if it runs.
    fn container(&self) -> anyhow::Result<Option<Started>> {
        let is_here = self.origin == Origin::ours()?;
        Ok(self.container.filter(|container| is_here && container.runs()))
    }

    /// Whether its `run` was killed, and the container with it.
    fn is_left_over(&self) -> anyhow::Result<bool> {
        Ok(self.origin.boot != Origin::ours()?.boot || !self.run.runs())
    }
}

/// The entry of a container that this process keeps. Its file is removed when it is dropped.
#[derive(Debug)]
pub struct Entry {
    file: PathBuf,
    origin: Origin,
    run: Started,
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
            ensure!(
                state.can_be_told()?,
                "the name {name} is taken, in another PID or time namespace"
            );
            let holder = state.container.unwrap_or(state.run).pid;
            ensure!(state.is_left_over()?, "the name {name} is taken, by process {holder}");
        }
        let run =
            Started::now(Pid::this()).context("read one's own start time from /proc/PID/stat")?;
        let entry = Entry {
            file,
            origin: Origin::ours()?,
            run,
        };
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
        let Some(container) = Started::now(init) else {
            return Ok(());
        };
        let _locked = self.folder()?;
        self.write(Some(container))?;
        info!(
            "recorded: {} is PID 1 of {}",
            container.pid,
            self.file.file_name().unwrap_or_default().display()
        );
        Ok(())
    }

    fn folder(&self) -> anyhow::Result<Folder> {
        Folder::make(self.file.parent().context("an entry is in a folder")?)
    }

    fn write(&self, container: Option<Started>) -> anyhow::Result<()> {
        let text = State {
            origin: self.origin.clone(),
            run: self.run,
            container,
        }
        .text();
        fs::write(&self.file, text).with_context(|| format!("write {}", self.file.display()))
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let removed = self.folder().and_then(|folder| {
            // Only this one's: what a person removed, somebody else may have made again.
            if read(&self.file)?
                .is_some_and(|state| state.run == self.run && state.origin == self.origin)
            {
                fs::remove_file(&self.file)
                    .with_context(|| format!("remove {}", self.file.display()))?;
            }
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
    let Some(folder) = Folder::open(&Folder::path_of_ours()?)? else {
        return Ok(found);
    };
    for entry in
        fs::read_dir(folder.path()).with_context(|| format!("read {}", folder.path().display()))?
    {
        let file = entry.with_context(|| format!("read {}", folder.path().display()))?.path();
        let name = file.file_name().unwrap_or_default().display().to_string();
        let state = read(&file)?;
        if let Some(container) = state.as_ref().map(State::container).transpose()?.flatten() {
            found.push((name, container));
            continue;
        }
        match state {
            Some(state) if !state.can_be_told()? => {
                info!("{name}: of another PID or time namespace")
            }
            Some(state) if !state.is_left_over()? => {
                info!("{name}: it is being set up, or cleared up")
            }
            _ => {
                fs::remove_file(&file).with_context(|| format!("remove {}", file.display()))?;
                info!("{name}: its `run` was killed, the entry is cleared");
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
    let state = folder
        .map(|folder| read(&folder.path().join(name.as_str())))
        .transpose()?
        .flatten();
    let Some(state) = state else {
        bail!("no container is called {name}: `ps` lists those that run")
    };
    ensure!(state.can_be_told()?, "{name} is a container of another PID or time namespace");
    if let Some(container) = state.container()? {
        return Ok(container);
    }
    ensure!(
        state.container.is_some() || state.is_left_over()?,
        "{name} is not set up yet: try again"
    );
    let pid = state.container.unwrap_or(state.run).pid;
    bail!("{name} has ended: process {pid} is gone, or is another one by now")
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
        let process = |pid, start| Started {
            pid: Pid::from_raw(pid),
            start,
        };
        for container in [None, Some(process(4244, 67893))] {
            let origin = Origin {
                boot: "0b5a".into(),
                seen_from: "pid:[1] time:[2]".into(),
            };
            let state = State {
                origin,
                run: process(4242, 67890),
                container,
            };
            assert_eq!(State::parse(&state.text()), Some(state));
        }
        for text in [
            "",
            "run 1 2\n",
            "boot a\nrun 1 2\n",
            "boot a\nseen from b\nrun 1 x\n",
            "boot a\nseen from b\ncontainer 1 2\n",
        ] {
            assert_eq!(State::parse(text), None, "{text:?}");
        }
    }
}
