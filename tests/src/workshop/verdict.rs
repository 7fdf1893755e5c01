//! What does a check say of a learner's stage: does it hold, fail, hang, leave a zombie?
//!
//! Each check runs in a process of its own ([`of_check`], hidden subcommand `judge`), so
//! that what a wrong stage does to the judge's mounts or hostname is gone with it.

use std::{
    env, fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, bail};
use nix::unistd::{Pid, geteuid};

use super::chapter;
use crate::{
    User,
    bench::Bench,
    chapters::Chapter,
    checks::{Check, Outcome},
    delegation,
    hang::Hang,
    host, patience,
    process::wait_for_end,
};

/// A learner's stage that is still there after this long hangs.
pub const BOUND: Duration = Duration::from_secs(10);

/// What a killed stage leaves must have ended after this long.
const PATIENCE: Duration = Duration::from_secs(2);

/// A check that has not ended after this long hangs itself.
const BOUND_OF_CHECK: Duration = Duration::from_secs(60);

/// What a zombie teaches, whatever was checked.
const ZOMBIE: &str = "a child that has ended stays a zombie until its parent asks how: waitpid(2), \
                      and go on asking until the answer is about that pid";

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// What must hold, holds.
    Passes,
    /// It cannot be judged here, because of this.
    Skipped(String),
    /// It does not hold; the kernel or the stage said this.
    Fails(String),
    /// The stage did not end.
    Hangs(String),
    /// The stage did not end, and its child has: nobody waited for it.
    Zombie(String),
}

impl Verdict {
    /// How a check without this verdict may go on, or `None`.
    pub fn is_fine(&self) -> bool {
        matches!(self, Verdict::Passes | Verdict::Skipped(_))
    }

    /// One word for it, and the text that goes with it.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Verdict::Passes => ("passes", ""),
            Verdict::Skipped(reason) => ("skipped", reason),
            Verdict::Fails(said) => ("FAILS", said),
            Verdict::Hangs(said) => ("HANGS", said),
            Verdict::Zombie(said) => ("ZOMBIE", said),
        }
    }

    fn from_parts(word: &str, said: String) -> Option<Verdict> {
        Some(match word {
            "passes" => Verdict::Passes,
            "skipped" => Verdict::Skipped(said),
            "FAILS" => Verdict::Fails(said),
            "HANGS" => Verdict::Hangs(said),
            "ZOMBIE" => Verdict::Zombie(said),
            _ => return None,
        })
    }

    /// The sentence that a learner with this verdict needs.
    pub fn teaches(&self, check: &Check) -> &'static str {
        match self {
            Verdict::Zombie(_) => ZOMBIE,
            _ => check.teaches,
        }
    }
}

/// Copies a program, in a process of its own. In this one, a child that another thread starts
/// meanwhile would have the copy open for writing, and execve(2) would refuse it (ETXTBSY).
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let status = Command::new("cp").args([from, to]).status()?;
    status
        .success()
        .then_some(())
        .ok_or_else(|| io::Error::other(format!("cp ended with {status}")))
}

/// A folder that every user can reach, with the stage and the tools; removed at the end.
pub struct Place {
    folder: PathBuf,
    /// A stage that is still there after this long hangs.
    pub bound: Duration,
}

impl Place {
    /// Brings the stage, the programs that checks use, and the one that judges, to a new one.
    ///
    /// # Errors
    ///
    /// A file is missing, or the temporary folder cannot be written.
    pub fn new(stage: &Path, tools: &Path, workshop: &Path) -> anyhow::Result<Place> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        remove_left_overs();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let place = Place {
            folder: env::temp_dir().join(format!("workshop-{}-{number}", process::id())),
            bound: BOUND,
        };
        fs::create_dir(&place.folder)
            .with_context(|| format!("create {}", place.folder.display()))?;
        fs::set_permissions(&place.folder, fs::Permissions::from_mode(0o777))?;
        let tools = ["inside", "rootfs", "doctor"].map(|tool| tools.join(tool));
        for file in tools.iter().map(PathBuf::as_path).chain([stage, workshop]) {
            let name = file.file_name().context("a binary has a name")?;
            let to = place.folder.join(name);
            // On another file system there is no link, and a copy takes its time.
            fs::hard_link(file, &to)
                .or_else(|_| copy(file, &to))
                .with_context(|| format!("copy {}", file.display()))?;
        }
        Ok(place)
    }

    /// Why this user cannot run the chapter's stage on this machine, if so: its probe's words.
    ///
    /// # Errors
    ///
    /// The doctor could not be run.
    pub fn obstacle(&self, chapter: &Chapter, user: User) -> anyhow::Result<Option<String>> {
        let mut command = Command::new(self.folder.join("doctor"));
        command.args(["--chapter", chapter.name]).current_dir(&self.folder);
        if user.is_another() {
            user.log_in(&mut command, &self.folder);
        }
        let output = command.output().context("run the doctor")?;
        let reason = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Some(reason).filter(|_| !output.status.success()))
    }

    /// Asks a check about this chapter's stage in this place, run by this user.
    ///
    /// # Errors
    ///
    /// The program that judges could not be run.
    pub fn ask(&self, chapter: &Chapter, check: &Check, user: User) -> anyhow::Result<Verdict> {
        let answer = self.folder.join("answer");
        let mut command = Command::new(self.folder.join("workshop"));
        command
            .args(["judge", user.name(), &check.full_name()])
            .arg(self.folder.join(chapter.name));
        command.args(["--bound", &self.bound.as_millis().to_string()]);
        command.stdin(Stdio::null()).stdout(fs::File::create(&answer)?);
        let mut judge = command.spawn().context("run the judge of one check")?;
        if !wait_for_end(Pid::from_raw(judge.id() as i32), patience(BOUND_OF_CHECK))? {
            judge.kill()?;
            judge.wait()?;
            delegation::clear(judge.id());
            return Ok(Verdict::Hangs(format!(
                "no end after {} s",
                patience(BOUND_OF_CHECK).as_secs()
            )));
        }
        let status = judge.wait()?;
        let text = fs::read_to_string(&answer)?;
        let (word, said) = text.split_once('\n').unwrap_or((&text, ""));
        let verdict = Verdict::from_parts(word, said.trim_end().to_owned());
        verdict.with_context(|| {
            format!("the judge of {:?} ended with {status} and said {text:?}", check.name)
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes the places of runs that Ctrl-C ended.
fn remove_left_overs() {
    for entry in fs::read_dir(env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let numbers = name.strip_prefix("workshop-").and_then(|rest| rest.split_once('-'));
        let pid = numbers.and_then(|(pid, _)| pid.parse::<u32>().ok());
        let gone = pid.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists());
        if gone
            && entry
                .metadata()
                .is_ok_and(|data| data.is_dir() && data.uid() == geteuid().as_raw())
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Runs one check, in a process that does nothing else.
///
/// # Errors
///
/// This process cannot be prepared to judge, or the user cannot be had.
pub fn of_check(
    check: &Check,
    user: User,
    binary: &Path,
    bound: Duration,
) -> anyhow::Result<Verdict> {
    if !User::all().contains(&user) {
        bail!("only root can judge as root");
    }
    host::prepare()?;
    host::set_patience(PATIENCE);
    let place = binary.parent().context("a binary is in a folder")?;
    let name = binary.file_name().unwrap_or_default().to_string_lossy();
    let mut bench = Bench::new(chapter(&name)?.number(), binary, user, place)?;
    bench.bound = bound;
    Ok(match check.judge(&bench) {
        Ok(Outcome::Holds) => Verdict::Passes,
        Ok(Outcome::Skipped(reason)) => Verdict::Skipped(reason),
        Err(error) => match error.downcast_ref::<Hang>() {
            Some(hang) if !hang.zombies.is_empty() => Verdict::Zombie(format!("{error:#}")),
            Some(_) => Verdict::Hangs(format!("{error:#}")),
            None => Verdict::Fails(format!("{error:#}")),
        },
    })
}
