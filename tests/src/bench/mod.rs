//! How is a stage run, as root or as an ordinary user, with a bound on its time?

mod ended;
mod run;
mod running;

use std::{
    cell::Cell,
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::Context;
use nix::unistd::geteuid;

pub use ended::{Ended, nobody_looked_at};
pub use run::Run;
pub use running::Running;

use crate::User;

/// Longer than any run takes on a slow machine.
const BOUND: Duration = Duration::from_secs(30);

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
    /// Whether the stage's containers get what it takes away.
    is_privileged: Cell<bool>,
}

/// From 13 on a container has few capabilities, and a filter: without them it is one of stage 12.
const PRIVILEGES: [&str; 4] = ["--seccomp", "unconfined", "--cap-add", "ALL"];

static COUNTER: AtomicU32 = AtomicU32::new(0);

impl Bench {
    /// A bench for `binary`, in a new folder under `place`, which the user can reach.
    pub fn new(stage: u8, binary: &Path, user: User, place: &Path) -> anyhow::Result<Bench> {
        let folder = place.join(format!("bench-{}", COUNTER.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir(&folder).with_context(|| format!("create {}", folder.display()))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
        if geteuid().is_root() {
            chown(&folder, Some(user.uid()), Some(user.gid()))?;
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
            is_privileged: Cell::default(),
        })
    }

    /// The stage's containers get all privileges from now on that a stage below gives.
    pub fn give_privileges(&self) {
        self.is_privileged.set(true);
    }

    /// Another one like it, with nothing in its folder.
    ///
    /// # Errors
    ///
    /// The folder cannot be made.
    pub fn again(&self) -> anyhow::Result<Bench> {
        let place = self.folder.parent().context("a bench is in a folder")?;
        let mut again = Bench::new(self.stage, &self.binary, self.user, place)?;
        again.bound = self.bound;
        again.is_privileged = self.is_privileged.clone();
        Ok(again)
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
        let mut command = Command::new(&program);
        self.user.log_in(&mut command, &self.folder);
        let mut arguments: Vec<OsString> =
            arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
        let is_run = Path::new(program.as_ref()) == self.binary
            && arguments.first().is_some_and(|first| first == "run");
        if is_run && self.is_privileged.get() && self.stage >= 13 {
            arguments.splice(1..1, PRIVILEGES.map(OsString::from));
        }
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("TMPDIR", self.temporary());
        Run::new(self, command)
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
            chown(&path, Some(self.user.uid()), Some(self.user.gid()))?;
        }
        Ok(path)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // What cannot be removed now goes at the end, with the folder that this one is in.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
