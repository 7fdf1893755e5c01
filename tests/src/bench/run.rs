//! How is a run prepared and started?

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use anyhow::Context;

use super::{Bench, COUNTER, Ended, Running};

/// A run that is being prepared.
pub struct Run<'a> {
    bench: &'a Bench,
    command: Command,
    input: Vec<u8>,
    standard_input: Option<Stdio>,
    standard_error: Option<Stdio>,
    merged: bool,
}

impl<'a> Run<'a> {
    /// The bench's own: see [`Bench::run`].
    pub(super) fn new(bench: &'a Bench, command: Command) -> Run<'a> {
        Run {
            bench,
            command,
            input: Vec::new(),
            standard_input: None,
            standard_error: None,
            merged: false,
        }
    }

    /// What standard input holds [default: nothing].
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// An environment variable.
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Standard error goes where standard output goes, as on a terminal: in the order written.
    pub fn merged(mut self) -> Self {
        self.merged = true;
        self
    }

    /// What standard input is.
    pub fn reading(mut self, input: impl Into<Stdio>) -> Self {
        self.standard_input = Some(input.into());
        self
    }

    /// What standard error is: what is said there is for others to read.
    pub fn complaining_to(mut self, errors: impl Into<Stdio>) -> Self {
        self.standard_error = Some(errors.into());
        self
    }

    /// The working folder.
    pub fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs it under another program, such as `unshare -r`.
    pub fn under(self, wrapper: &[&str]) -> Self {
        let mut words: Vec<OsString> = wrapper[1..].iter().map(OsString::from).collect();
        words.push(self.command.get_program().to_owned());
        words.extend(self.command.get_args().map(OsStr::to_owned));
        let mut wrapped = self.bench.run(wrapper[0], words);
        if let Some(folder) = self.command.get_current_dir() {
            wrapped.command.current_dir(folder);
        }
        for (key, value) in self.command.get_envs() {
            wrapped.command.env(key, value.unwrap_or_default());
        }
        wrapped.input = self.input;
        wrapped.standard_input = self.standard_input;
        wrapped.standard_error = self.standard_error;
        wrapped
    }

    /// Changes the [`Command`] itself: for what the other methods do not have.
    pub fn with(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.command);
        self
    }

    /// How long it may take.
    pub fn bound(&self) -> Duration {
        self.bench.bound
    }

    /// Starts it with a standard input that stays open until [`Running::release`].
    pub fn start_waiting(mut self) -> anyhow::Result<Running> {
        let (reader, writer) = std::io::pipe()?;
        self.standard_input = Some(reader.into());
        let mut running = self.start()?;
        running.input = Some(writer);
        Ok(running)
    }

    /// Starts it, and does not wait.
    pub fn start(mut self) -> anyhow::Result<Running> {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = |what: &str| {
            self.bench
                .folder
                .parent()
                .unwrap_or(Path::new("/"))
                .join(format!("{what}-{number}"))
        };
        let (input, output, errors) = (path("in"), path("out"), path("err"));
        fs::write(&input, &self.input)?;
        let standard_input = self
            .standard_input
            .take()
            .map_or_else(|| File::open(&input).map(Stdio::from), Ok)?;
        let (to_output, to_errors) = (File::create(&output)?, File::create(&errors)?);
        let to_errors = match self.standard_error.take() {
            Some(errors) => errors,
            None if self.merged => to_output.try_clone()?.into(),
            None => to_errors.into(),
        };
        self.command.stdin(standard_input).stdout(to_output).stderr(to_errors);
        let child = self.command.spawn().with_context(|| {
            format!("start {}", Path::new(self.command.get_program()).display())
        })?;
        fs::remove_file(&input)?;
        let (bound, stage) = (self.bench.bound, self.bench.stage);
        Ok(Running {
            child,
            started: Instant::now(),
            bound,
            output,
            errors,
            input: None,
            stage,
        })
    }

    /// Runs it to its end.
    pub fn finish(self) -> anyhow::Result<Ended> {
        self.start()?.finish()
    }

    /// Runs it on these standard streams, for terminals.
    pub fn start_on(mut self, input: Stdio, output: Stdio, errors: Stdio) -> anyhow::Result<Child> {
        Ok(self.command.stdin(input).stdout(output).stderr(errors).spawn()?)
    }
}
