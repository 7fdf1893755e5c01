//! How is a stage run, as root or as an ordinary user, with a bound on its time?

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{PipeWriter, Write},
    os::{
        fd::{AsFd, FromRawFd, OwnedFd},
        unix::{
            fs::{PermissionsExt, chown},
            process::{CommandExt, ExitStatusExt},
        },
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};

use crate::{
    hang::{Hang, zombies_of},
    host::children_of,
    patience,
};

/// Longer than any run takes on a slow machine.
const BOUND: Duration = Duration::from_secs(30);

/// The ordinary user's id, where the tests run as root and can choose.
pub const ORDINARY: u32 = 1000;

/// Who runs the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// uid 0.
    Root,
    /// Anybody else.
    Ordinary,
}

impl User {
    /// As it stands in a test's name.
    pub fn name(self) -> &'static str {
        match self {
            User::Root => "root",
            User::Ordinary => "user",
        }
    }

    /// The uid under which the stage runs.
    pub fn uid(self) -> u32 {
        match self {
            User::Root => 0,
            User::Ordinary if geteuid().is_root() => ORDINARY,
            User::Ordinary => geteuid().as_raw(),
        }
    }
}

/// One stage's binary and who runs it, with a folder to work in that this user owns.
pub struct Bench {
    /// The stage's number: 6 for `06-reexec`.
    pub stage: u8,
    /// Who runs it.
    pub user: User,
    /// The folder with all the binaries.
    pub binaries: PathBuf,
    /// The file that is judged.
    pub binary: PathBuf,
    /// This bench's own folder, home and temporary folder of the user. Removed at the end.
    pub folder: PathBuf,
    /// A run that takes longer hangs.
    pub bound: Duration,
}

static COUNTER: AtomicU32 = AtomicU32::new(0);

impl Bench {
    /// A bench for `binary`, in a new folder under `place`, which the user can reach.
    pub fn new(stage: u8, binary: &Path, user: User, place: &Path) -> anyhow::Result<Bench> {
        let folder = place.join(format!("bench-{}", COUNTER.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir(&folder).with_context(|| format!("create {}", folder.display()))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
        if geteuid().is_root() {
            chown(&folder, Some(user.uid()), Some(user.uid()))?;
        }
        let temporary = folder.join("tmp");
        fs::create_dir(&temporary)?;
        fs::set_permissions(&temporary, fs::Permissions::from_mode(0o1777))?;
        let binaries = binary.parent().context("a binary is in a folder")?.to_owned();
        Ok(Bench {
            stage,
            user,
            binaries,
            binary: binary.to_owned(),
            folder,
            bound: BOUND,
        })
    }

    /// The user's temporary folder, in which nothing may be left.
    pub fn temporary(&self) -> PathBuf {
        self.folder.join("tmp")
    }

    /// A run of the stage with these arguments.
    ///
    /// From 8 on the stages have subcommands, and pass standard input on only if asked to;
    /// from 9 on they have files of their own unless they are given others.
    pub fn stage<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run<'_> {
        self.stage_at(self.stage, &self.binary, arguments)
    }

    /// A run of another stage than the bench's.
    pub fn stage_at<S: AsRef<OsStr>>(
        &self,
        stage: u8,
        binary: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> Run<'_> {
        let arguments: Vec<OsString> =
            arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
        let named = arguments.iter().any(|argument| argument == "--rootfs");
        let before: &[&str] = match stage {
            0..=7 => &[],
            9.. if !named => &["run", "-i", "--rootfs", "/"],
            _ => &["run", "-i"],
        };
        self.run(binary, before.iter().map(OsString::from).chain(arguments))
    }

    /// A run of the stage with a script for `sh -c` as its command.
    pub fn script(&self, script: &str) -> Run<'_> {
        self.stage(["--", "sh", "-c", script])
    }

    /// A run of any other program, as the same user in the same surroundings.
    pub fn run<S: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = S>,
    ) -> Run<'_> {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().current_dir(&self.folder);
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command
            .env("HOME", &self.folder)
            .env("TMPDIR", self.temporary())
            .env("LC_ALL", "C");
        Run {
            bench: self,
            command,
            input: Vec::new(),
            standard_input: None,
            merged: false,
        }
    }

    /// Why this user cannot make a user namespace with unshare(1), if that is so: some checks
    /// need one for its own limits, or as a container that has lost privileges.
    pub fn no_user_namespace(&self) -> anyhow::Result<Option<String>> {
        let ended = self.run("unshare", ["-r", "true"]).finish()?;
        let reason =
            || format!("it needs a user namespace to try this in: {}", ended.errors.trim());
        Ok((ended.status() != 0).then(reason))
    }

    /// Another program of the judge or the tower, such as `inside`.
    pub fn other(&self, name: &str) -> PathBuf {
        self.binaries.join(name)
    }

    /// Writes a file into the bench's folder, for the user to read or execute.
    pub fn file(&self, name: &str, text: &str, mode: u32) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        Ok(path)
    }

    /// Makes a folder that the user owns.
    pub fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(name);
        fs::create_dir_all(&path)?;
        if geteuid().is_root() {
            chown(&path, Some(self.user.uid()), Some(self.user.uid()))?;
        }
        Ok(path)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Whoever made the folder's place removes all of it at the end.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A run that is being prepared.
pub struct Run<'a> {
    bench: &'a Bench,
    command: Command,
    input: Vec<u8>,
    standard_input: Option<Stdio>,
    merged: bool,
}

impl<'a> Run<'a> {
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
        wrapped
    }

    /// Changes the [`Command`] itself: for what the other methods do not have.
    pub fn with(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.command);
        self
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
        let uid = self.bench.user.uid();
        if geteuid().is_root() && uid != 0 {
            self.command.uid(uid).gid(uid);
        }
        let standard_input = self
            .standard_input
            .take()
            .map_or_else(|| File::open(&input).map(Stdio::from), Ok)?;
        let (to_output, to_errors) = (File::create(&output)?, File::create(&errors)?);
        let to_errors = if self.merged {
            to_output.try_clone()?
        } else {
            to_errors
        };
        self.command.stdin(standard_input).stdout(to_output).stderr(to_errors);
        let child = self
            .command
            .spawn()
            .with_context(|| format!("start {:?}", self.command.get_program()))?;
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
        let uid = self.bench.user.uid();
        if geteuid().is_root() && uid != 0 {
            self.command.uid(uid).gid(uid);
        }
        Ok(self.command.stdin(input).stdout(output).stderr(errors).spawn()?)
    }
}

/// A run that has been started.
pub struct Running {
    child: Child,
    started: Instant,
    bound: Duration,
    output: PathBuf,
    errors: PathBuf,
    input: Option<PipeWriter>,
    stage: u8,
}

impl Running {
    /// The pid of the stage's parent process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// The pid of the command, outside: the stage's child, or its child where a keeper is between
    /// them.
    pub fn command(&self) -> anyhow::Result<Pid> {
        let keepers = usize::from(self.stage >= 9);
        (0..=keepers).try_fold(self.pid(), |pid, _| {
            children_of(pid)?.first().copied().context("it has no child")
        })
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
                    "it ended and never wrote {word:?}; it said: {errors}"
                );
            }
            self.check_bound()?;
        }
        Ok(())
    }

    /// Closes the standard input of [`Run::start_waiting`] and waits for the end.
    pub fn release(mut self) -> anyhow::Result<Ended> {
        self.close_input();
        self.finish()
    }

    /// Closes the standard input of [`Run::start_waiting`].
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Writes to the standard input of [`Run::start_waiting`].
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

    /// Waits for its end.
    pub fn finish(mut self) -> anyhow::Result<Ended> {
        while !wait_for_end(self.pid(), Duration::from_millis(500))? {
            self.check_bound()?;
        }
        let status = self.child.wait()?;
        let read = |path: &Path| anyhow::Ok((fs::read(path)?, fs::remove_file(path)?).0);
        Ok(Ended {
            status,
            output: read(&self.output)?,
            errors: String::from_utf8_lossy(&read(&self.errors)?).into(),
        })
    }

    fn check_bound(&mut self) -> anyhow::Result<()> {
        if self.started.elapsed() > patience(self.bound) {
            let said = fs::read_to_string(&self.errors).unwrap_or_default();
            let hang = Hang {
                after: patience(self.bound),
                zombies: zombies_of(self.pid()),
                said,
            };
            // Its children first: those of a stage that hangs need not die with it.
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

/// Waits so long for a child's end, which the caller then reaps (pidfd_open(2)).
pub fn wait_for_end(pid: Pid, at_most: Duration) -> anyhow::Result<bool> {
    // SAFETY: pidfd_open takes two numbers and returns a new descriptor or an error.
    let number = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    let number = Errno::result(number).context("pidfd_open")?;
    // SAFETY: the descriptor is new, so nobody else owns it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(number as i32) };
    let mut watched = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    Ok(poll(&mut watched, PollTimeout::try_from(at_most)?)? > 0)
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    status: ExitStatus,
    /// Standard output.
    pub output: Vec<u8>,
    /// Standard error.
    pub errors: String,
}

impl Ended {
    /// The exit status; 128+N if signal N ended it, as a shell says it.
    pub fn status(&self) -> i32 {
        self.status
            .code()
            .or(self.status.signal().map(|signal| 128 + signal))
            .unwrap_or(-1)
    }

    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }

    /// The exit status must be this.
    pub fn must_end_with(self, status: i32) -> anyhow::Result<Ended> {
        ensure!(
            self.status() == status,
            "exit status {} where {status} was expected; it wrote {:?} and said: {}",
            self.status(),
            self.text(),
            self.errors
        );
        Ok(self)
    }

    /// Standard output must be exactly this.
    pub fn must_write(self, text: &str) -> anyhow::Result<Ended> {
        ensure!(
            self.text() == text,
            "it wrote {:?} where {text:?} was expected; it said: {}",
            self.text(),
            self.errors
        );
        Ok(self)
    }

    /// The error must be one line, the last one, and contain all these words.
    pub fn must_complain(self, words: &[&str]) -> anyhow::Result<Ended> {
        let last = self.errors.lines().last().unwrap_or_default();
        for word in words {
            ensure!(last.contains(word), "the error says {last:?}, and nothing of {word:?}");
        }
        ensure!(!self.errors.contains("panicked"), "it panicked: {}", self.errors);
        Ok(self)
    }
}
