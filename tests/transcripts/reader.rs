//! A person at a page: a home folder with a clone of the repository in it, and a shell.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, bail};
use judge::{
    Bench, User,
    hang::Hang,
    host::{Difference, Snapshot, nobody_stays},
};
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    unistd::{geteuid, gethostname},
};
use regex::{Captures, Regex};

use crate::{
    place::Place,
    surroundings::{HOST, is_of_another_group},
    transcript::{Step, Transcript},
};

/// The user's home folder in the book; the clone is in it.
const HOME: &str = "/home/you";
/// The clone's folder in it.
const CLONE: &str = "tower";
/// The user's uid in the book, and the gid.
const ID: &str = "1000";

/// The pid of the shell that runs the commands; the first command's own is the next, and then
/// its child's.
const SHELL_PID: u32 = 4241;

/// What the shell writes after each command, and its status.
const MARK: &str = "=== the command has ended ===";

/// A reader.
pub struct Reader {
    bench: Bench,
    place: Arc<Place>,
    /// The home folder, under the name by which the shell knows it.
    home: PathBuf,
    clone: PathBuf,
    /// Where the stages of this user keep what runs, and nothing may be left.
    runtime: PathBuf,
}

impl Reader {
    /// One who has just cloned the repository.
    pub fn new(user: User, place: &Arc<Place>) -> anyhow::Result<Reader> {
        let bench = Bench::new(0, &place.programs().join("01-uts"), user, &place.folder)?;
        let clone = bench.folder(CLONE)?;
        place.clone_repository(&clone, user.uid(), user.gid())?;
        bench.folder(&format!("{CLONE}/target"))?;
        std::os::unix::fs::symlink(place.programs(), clone.join("target/debug"))?;
        let place = Arc::clone(place);
        if !geteuid().is_root() {
            let (home, runtime) = (bench.folder.clone(), bench.folder("runtime")?);
            return Ok(Reader {
                bench,
                place,
                home,
                clone,
                runtime,
            });
        }
        fs::create_dir_all(HOME)?;
        let none: Option<&str> = None;
        mount(Some(&bench.folder), HOME, none, MsFlags::MS_BIND, none).context("bind the home")?;
        let home = if user == User::Root { "/root" } else { HOME }.into();
        let clone = Path::new(HOME).join(CLONE);
        Ok(Reader {
            bench,
            place,
            home,
            clone,
            runtime: "/tmp".into(),
        })
    }

    pub fn user(&self) -> User {
        self.bench.user
    }

    /// Types a transcript's commands into one shell: the same commands with what they print now.
    /// The machine must be as it was; where another program can have changed it, once more.
    pub fn types(&self, transcript: &Transcript, shell: &str) -> anyhow::Result<Transcript> {
        self.types_with(None, transcript, shell)
    }

    /// Likewise, where an environment variable has a value.
    pub fn types_with(
        &self,
        variable: Option<(&str, &str)>,
        transcript: &Transcript,
        shell: &str,
    ) -> anyhow::Result<Transcript> {
        let (now, first) = self.types_once(variable, transcript, shell)?;
        if first.is_empty() {
            return Ok(now);
        }
        if first.iter().all(|difference| difference.may_be_anothers) {
            let (now, second) = self.types_once(variable, transcript, shell)?;
            if second.iter().all(|one| one.may_be_anothers && !first.contains(one)) {
                println!("meanwhile, another program left {}", shown(&first));
                return Ok(now);
            }
        }
        bail!("the machine is not as it was: {}", shown(&first))
    }

    fn types_once(
        &self,
        variable: Option<(&str, &str)>,
        transcript: &Transcript,
        shell: &str,
    ) -> anyhow::Result<(Transcript, Vec<Difference>)> {
        self.set_next_pid()?;
        let before = Snapshot::take(self.user(), &self.runtime)?;
        let steps = self.run(variable, transcript, shell);
        let stayed = nobody_stays();
        let steps = steps?;
        stayed?;
        let mut differences = before.differences(&Snapshot::take(self.user(), &self.runtime)?);
        differences.retain(|difference| !is_of_another_group(&difference.text));
        Ok((
            Transcript {
                steps,
                ..transcript.clone()
            },
            differences,
        ))
    }

    /// What is started next has the shell's pid of the book, if root judges.
    pub fn set_next_pid(&self) -> anyhow::Result<()> {
        if !geteuid().is_root() {
            return Ok(());
        }
        fs::write("/proc/sys/kernel/ns_last_pid", (SHELL_PID - 1).to_string())
            .context("set the next pid")
    }

    fn run(
        &self,
        variable: Option<(&str, &str)>,
        transcript: &Transcript,
        shell: &str,
    ) -> anyhow::Result<Vec<Step>> {
        let command = self.command(shell, &script(&transcript.steps));
        let mut running = match variable {
            Some((name, value)) => command.env(name, value).start()?,
            None => command.start()?,
        };
        for (number, step) in transcript.steps.iter().enumerate() {
            if let Err(error) = running.until(&format!("\n{MARK} {number} "))
                && error.is::<Hang>()
            {
                return Err(error.context(format!("`{}`", step.command)));
            }
        }
        let ended = running.finish()?;
        let Ok(text) = String::from_utf8(ended.output.clone()) else {
            bail!("not all that was written is text")
        };
        let mut steps = Vec::new();
        let mut rest = text.as_str();
        for (number, step) in transcript.steps.iter().enumerate() {
            let (output, status);
            (output, status, rest) = match rest.split_once(&format!("\n{MARK} {number} ")) {
                Some((output, after)) => {
                    let (status, rest) = after.split_once('\n').context("a mark has an end")?;
                    (output, status.parse()?, rest)
                }
                // The command has ended the shell.
                None => (rest.trim_end_matches('\n'), ended.status(), ""),
            };
            steps.push(step.with(self.as_in_the_book(output)?, status)?);
        }
        Ok(steps)
    }

    /// A script that the reader runs in the clone.
    pub fn command(&self, program: &str, script: &str) -> judge::bench::Run<'_> {
        let run = self.bench.run(program, ["-c", script]).within(&self.clone).merged();
        run.with(|command| {
            let path =
                command.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, path)| path);
            let path = path.unwrap_or_default().to_string_lossy().into_owned();
            let stand_in = self.place.folder.join("stand-in");
            command.env("PATH", format!("{}:{path}", stand_in.display()));
            command.env("HOME", &self.home).env_remove("TMPDIR");
            if !geteuid().is_root() {
                command.env("XDG_RUNTIME_DIR", &self.runtime);
            }
        })
    }

    /// The names of this machine and of this user are replaced by those in the book: in what is
    /// printed, never in what is typed.
    pub fn as_in_the_book(&self, text: &str) -> anyhow::Result<String> {
        let word = |from: &str| Regex::new(&format!(r"\b{}\b", regex::escape(from)));
        let mut text = text.to_owned();
        if !geteuid().is_root() {
            text = text.replace(&self.home.display().to_string(), HOME);
            let name = gethostname()?.to_string_lossy().into_owned();
            text = word(&name)?.replace_all(&text, HOST).into_owned();
        }
        if self.user() == User::Ordinary {
            for id in [self.user().uid(), self.user().gid()] {
                text = with_id_of_the_book(&text, id)?;
            }
        }
        in_columns(&text)
    }

    /// What is in the clone that git does not know, and is no output of a build; and what is in
    /// the home folder. `None` where nobody can tell.
    pub fn leaves(&self) -> anyhow::Result<Option<Vec<String>>> {
        if !self.clone.join(".git").exists() {
            return Ok(None);
        }
        let status = self
            .command("sh", "git status --porcelain --ignored")
            .finish()?
            .must_end_with(0)?;
        let of_a_build = ["!! target/", "!! rootfs/"];
        let in_clone = status.text();
        let mut left: Vec<String> = in_clone
            .lines()
            .filter(|line| !of_a_build.contains(line))
            .map(str::to_owned)
            .collect();
        for entry in fs::read_dir(&self.home)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            // `tmp` and `runtime` are the judge's; the image of chapter 9 is in the cache.
            if ![CLONE, "tmp", "runtime", ".cache"].contains(&name.as_str()) {
                left.push(format!("~/{name}"));
            }
        }
        Ok(Some(left))
    }
}

/// In columns, as in a uid_map, numbers end in the same place.
fn with_id_of_the_book(text: &str, id: u32) -> anyhow::Result<String> {
    let put = |found: &Captures| match &found[0] {
        word if word.starts_with("  ") => format!("{ID:>width$}", width = word.len()),
        word => word.replace(&id.to_string(), ID),
    };
    Ok(Regex::new(&format!(r" *\b{id}\b"))?.replace_all(text, put).into_owned())
}

/// A name of the book that is shorter or longer has moved the end of its line of the log.
fn in_columns(text: &str) -> anyhow::Result<String> {
    let line = Regex::new(r"(?m)^( *\+.{18,23} )(\S.*?) {2,}(\d\d-\S+::\S+)$")?;
    let put = |found: &Captures| format!("{}{:<58}  {}", &found[1], &found[2], &found[3]);
    Ok(line.replace_all(text, put).into_owned())
}

fn shown(differences: &[Difference]) -> String {
    differences.iter().map(|one| one.text.clone()).collect::<Vec<_>>().join("; ")
}

/// The commands as one script, for a shell that keeps its variables and descriptors from one to
/// the next.
fn script(steps: &[Step]) -> String {
    let line = |(number, step): (usize, &Step)| {
        let command = step.command.replace('\'', r"'\''");
        format!("eval '{command}'\nprintf '\\n%s %d %d\\n' '{MARK}' {number} \"$?\"\n")
    };
    steps.iter().enumerate().map(line).collect()
}

impl Drop for Reader {
    fn drop(&mut self) {
        if geteuid().is_root() {
            // Else the next reader could not have the name: they will say so.
            let _ = umount2(HOME, MntFlags::MNT_DETACH);
        }
    }
}
