//! What can be done with a run that has not ended yet?

use std::{
    fs,
    io::{PipeWriter, Write},
    path::{Path, PathBuf},
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::Ended;
use crate::{
    hang::{Hang, zombies_of},
    patience,
    process::{children_of, threads, wait_for_end},
    told,
};

/// A run that has been started.
pub struct Running {
    pub(super) child: Child,
    pub(super) started: Instant,
    pub(super) bound: Duration,
    pub(super) output: PathBuf,
    pub(super) errors: PathBuf,
    pub(super) input: Option<PipeWriter>,
    pub(super) stage: u8,
}

impl Running {
    /// The pid of the stage's parent process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// The pid of the command, outside.
    ///
    /// # Errors
    ///
    /// It has ended, or does not run yet.
    pub fn command(&self) -> anyhow::Result<Pid> {
        self.processes()?.pop().context("a stage has processes")
    }

    /// The stage's processes: its parent, from 9 on the keeper, and the one that is the command.
    ///
    /// # Errors
    ///
    /// One of them is not there.
    pub fn processes(&self) -> anyhow::Result<Vec<Pid>> {
        let mut found = vec![self.pid()];
        let keepers = usize::from(self.stage >= 9);
        for _ in 0..=keepers {
            let last = found[found.len() - 1];
            found.push(*children_of(last)?.first().context("it has no child")?);
        }
        Ok(found)
    }

    /// What it has written to standard output so far.
    pub fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// Waits until standard output contains `word`.
    pub fn until(&mut self, word: &str) -> anyhow::Result<()> {
        while !self.output().contains(word) {
            if wait_for_end(self.pid(), Duration::from_millis(2))? {
                let errors = fs::read_to_string(&self.errors).unwrap_or_default();
                ensure!(
                    self.output().contains(word),
                    "it ended before it wrote {}; it wrote {}; it said: {errors}",
                    if word == "\n" {
                        "a line".into()
                    } else {
                        told(word)
                    },
                    told(&self.output())
                );
            }
            self.check_bound()?;
        }
        Ok(())
    }

    /// Closes the standard input of [`start_waiting`](super::Run::start_waiting), and waits for the
    /// end.
    pub fn release(mut self) -> anyhow::Result<Ended> {
        self.close_input();
        self.finish()
    }

    /// Closes the standard input of [`Run::start_waiting`](super::Run::start_waiting).
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Writes to the standard input of [`Run::start_waiting`](super::Run::start_waiting).
    pub fn say(&mut self, text: &str) -> anyhow::Result<()> {
        self.input
            .as_mut()
            .context("its standard input is closed")?
            .write_all(text.as_bytes())?;
        Ok(())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill(self.pid(), signal)?)
    }

    /// Kills the parent and the keeper at once: one of them alone would clear up after the other.
    ///
    /// # Errors
    ///
    /// One of them is not there.
    pub fn kill_runtime(&self) -> anyhow::Result<()> {
        let processes = self.processes()?;
        let (_, runtime) = processes.split_last().context("a stage has processes")?;
        runtime.iter().try_for_each(|pid| kill(*pid, Signal::SIGSTOP))?;
        for pid in runtime {
            // Each thread stops for itself.
            while !threads(*pid).iter().all(|state| *state == 'T') {
                sleep(Duration::from_micros(100));
                self.check_time()?;
            }
        }
        runtime.iter().try_for_each(|pid| kill(*pid, Signal::SIGKILL))?;
        for pid in runtime {
            ensure!(wait_for_end(*pid, patience(self.bound))?, "SIGKILL does not end {pid}");
        }
        Ok(())
    }

    /// Waits for its end.
    pub fn finish(mut self) -> anyhow::Result<Ended> {
        while !wait_for_end(self.pid(), Duration::from_millis(500))? {
            self.check_bound()?;
        }
        let status = self.child.wait()?;
        let read = |path: &Path| anyhow::Ok((fs::read(path)?, fs::remove_file(path)?).0);
        Ok(Ended::new(
            status,
            read(&self.output)?,
            String::from_utf8_lossy(&read(&self.errors)?).into(),
        ))
    }

    fn check_time(&self) -> anyhow::Result<()> {
        ensure!(self.started.elapsed() < patience(self.bound), "it does not stop");
        Ok(())
    }

    fn check_bound(&mut self) -> anyhow::Result<()> {
        if self.started.elapsed() > patience(self.bound) {
            let said = fs::read_to_string(&self.errors).unwrap_or_default();
            let hang = Hang {
                after: patience(self.bound),
                zombies: zombies_of(self.pid()),
                said,
            };
            // Its children first: they may survive a stage that hangs.
            for child in children_of(self.pid()).unwrap_or_default() {
                let _ = kill(child, Signal::SIGKILL);
            }
            self.child.kill()?;
            self.child.wait()?;
            return Err(hang.into());
        }
        Ok(())
    }
}
