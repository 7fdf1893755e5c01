// ANCHOR: names
//! How does one process find the container that another one started?

use std::{os::fd::AsFd, path::PathBuf};

use anyhow::{Context, anyhow, bail};
use ch01_uts::wait_for_any;
use ch02_ipc::End;
use ch03_pid::Job;
use ch09_aufs::is_there;
use lab::{info, warn};
use nix::unistd::Pid;

use crate::{
    Identity, Name,
    folder::{Folder, path_of_this_user},
    state::{Origin, State, Status},
};

/// The names of this user's containers: one file each, in one folder.
#[derive(Clone, Debug)]
pub struct Names(PathBuf);

impl Names {
    /// This user's.
    ///
    /// # Errors
    ///
    /// XDG_RUNTIME_DIR is a relative path.
    pub fn of_this_user() -> anyhow::Result<Names> {
        path_of_this_user().map(Names)
    }

    /// Gives a container this name. No other gets it until the entry is dropped and the container
    /// has ended. `notes` are lines for those who join it.
    ///
    /// # Errors
    ///
    /// A container has the name; the folder cannot be made, or is another user's, or full.
    pub fn reserve(&self, name: &Name, notes: &str) -> anyhow::Result<Entry> {
        let folder = Folder::make(&self.0)?;
        if let Some(state) = folder.read(name.as_str())?.as_deref().and_then(State::parse) {
            let holder = state.container.unwrap_or(state.run).pid;
            match state.status()? {
                Status::LeftOver => {}
                Status::Elsewhere => {
                    bail!("the name {name} is taken in another PID or time namespace: use another")
                }
                Status::Runs(_) | Status::Busy => {
                    bail!("the name {name} is taken by process {holder}: use another")
                }
            }
        }
        let state = State {
            origin: Origin::own()?,
            run: Identity::of(Pid::this()).context("find out which process this is")?,
            container: None,
            notes: notes.to_owned(),
        };
        folder.write(name.as_str(), &state.text())?;
        Ok(Entry {
            names: self.clone(),
            name: name.clone(),
            state,
        })
    }

    /// The containers that run, by name. Entries that killed runtimes left are cleared.
    ///
    /// # Errors
    ///
    /// The folder is another user's, or cannot be read.
    pub fn running(&self) -> anyhow::Result<Vec<(String, Identity)>> {
        let mut found = Vec::new();
        let Some(folder) = Folder::open(&self.0)? else {
            return Ok(found);
        };
        for name in folder.names()? {
            let state = folder.read(&name)?.as_deref().and_then(State::parse);
            match state.map(|state| state.status()).transpose()? {
                Some(Status::Runs(container)) => found.push((name, container)),
                Some(Status::Busy) => info!("{name}: its run is setting it up, or clearing up"),
                Some(Status::Elsewhere) => {
                    info!("{name}: an entry of another PID or time namespace")
                }
                Some(Status::LeftOver) | None => {
                    folder.remove(&name)?;
                    info!("{name}: its runtime was killed: removed the entry");
                }
            }
        }
        folder.remove_if_empty();
        Ok(found)
    }

    /// The PID 1 of the container with this name.
    ///
    /// # Errors
    ///
    /// There is none, it is not set up yet, or it has ended.
    pub fn find(&self, name: &Name) -> anyhow::Result<Identity> {
        self.find_with_notes(name).map(|(container, _)| container)
    }

    /// Likewise, and the notes.
    ///
    /// # Errors
    ///
    /// As [`Names::find`].
    pub fn find_with_notes(&self, name: &Name) -> anyhow::Result<(Identity, String)> {
        let folder = Folder::open(&self.0)?;
        let text = folder.map(|folder| folder.read(name.as_str())).transpose()?.flatten();
        let Some(state) = text.as_deref().and_then(State::parse) else {
            bail!("no container is called {name}: `ps` lists those that run")
        };
        match (state.status()?, state.container) {
            (Status::Runs(container), _) => Ok((container, state.notes)),
            (Status::Elsewhere, _) => Err(anyhow!(
                "{name} is a container of another PID or time namespace: call it from there"
            )),
            (Status::Busy, None) => Err(anyhow!("{name} is not set up yet: try again")),
            (_, Some(Identity { pid, .. })) => Err(anyhow!(
                "{name} has ended: process {pid} is gone, or another process has its pid"
            )),
            (_, None) => Err(anyhow!("{name} has ended before it was set up")),
        }
    }
}
// ANCHOR_END: names

// ANCHOR: entry
/// The entry of a container that this process keeps. Its file is removed when this is dropped.
#[derive(Debug)]
pub struct Entry {
    names: Names,
    name: Name,
    state: State,
}

impl Entry {
    /// Waits until init reports that the container is set up, writes down which process it is, and
    /// lets init go on. So the container can be found before the command does anything. Before that
    /// init's root is the host's, and nobody may join it. The wait ends also if init ends or a
    /// signal comes; the caller deals with both.
    ///
    /// # Errors
    ///
    /// The entry cannot be written; as [`let_go_on`].
    pub fn record_when_ready(&self, ready: &End, init: Pid, job: &Job) -> anyhow::Result<()> {
        let is_ready = wait_for_any(&[ready.as_fd(), job.as_fd()])?[0];
        if !is_ready || !is_there(ready.wait())? {
            return Ok(());
        }
        self.record(init)?;
        let_go_on(ready)
    }

    fn record(&self, init: Pid) -> anyhow::Result<()> {
        // `None` if it has ended by now.
        let container = Identity::of(init);
        let state = State {
            container,
            ..self.state.clone()
        };
        Folder::make(&self.names.0)?.write(self.name.as_str(), &state.text())?;
        info!("recorded: {init} is PID 1 of {}", self.name);
        Ok(())
    }

    fn remove(&self) -> anyhow::Result<()> {
        let folder = Folder::make(&self.names.0)?;
        // Only its own: if you removed the file, another run may have made one since.
        let state = folder.read(self.name.as_str())?.as_deref().and_then(State::parse);
        if state.is_some_and(|state| state.run == self.state.run) {
            folder.remove(self.name.as_str())?;
        }
        folder.remove_if_empty();
        Ok(())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            warn!("{error:#}"); // the next reader sees that it is left over
        }
    }
}

/// Lets init go on.
///
/// # Errors
///
/// As send(2).
pub fn let_go_on(ready: &End) -> anyhow::Result<()> {
    is_there(ready.say()).map(drop)
}
// ANCHOR_END: entry
