//! Does a page hold for a reader who types it from top to bottom, and then again?

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, bail, ensure};
use judge::{Outcome, User};
use libtest_mimic::Trial;
use nix::unistd::geteuid;
use snapbox::{Data, report};

use crate::{
    harness::trial_or_skip,
    place::Place,
    reader::Reader,
    records, renaming,
    transcript::{Transcript, prompt},
};

/// The shells of the two times.
const SHELLS: [&str; 2] = ["sh", "bash"];

/// A part of a reading.
type Test = dyn FnOnce(&mut Reading) -> anyhow::Result<Outcome> + Send;

/// One user's way through one page.
pub struct Reading {
    user: User,
    place: Arc<Place>,
    /// The page's transcripts that this user can run, from top to bottom.
    files: Vec<PathBuf>,
    reader: Option<Reader>,
    /// How many of them have been typed.
    typed: usize,
}

impl Reading {
    pub fn new(user: User, place: &Arc<Place>, files: Vec<PathBuf>) -> Reading {
        Reading {
            user,
            place: Arc::clone(place),
            files,
            reader: None,
            typed: 0,
        }
    }

    /// A trial for each transcript, and one for the second time and what is left after it.
    pub fn trials(self, page: &str) -> Vec<Trial> {
        let (user, files) = (self.user.name(), self.files.clone());
        let reading = Arc::new(Mutex::new(self));
        let with = |name: String, test: Box<Test>| {
            let reading = Arc::clone(&reading);
            trial_or_skip(name, move || {
                test(&mut reading.lock().unwrap_or_else(PoisonError::into_inner))
            })
        };
        let one = |(number, file): (usize, &PathBuf)| {
            let name = format!("{page}: {} as {user}", name_of(file));
            with(name, Box::new(move |reading| reading.first_time(number)))
        };
        let mut trials: Vec<Trial> = files.iter().enumerate().map(one).collect();
        let again = format!("{page}: again as {user}, and nothing is left");
        trials.push(with(again, Box::new(Reading::again)));
        trials
    }

    /// Types one transcript and compares, or rewrites its file. Those above it come first.
    pub fn first_time(&mut self, number: usize) -> anyhow::Result<Outcome> {
        self.type_those_before(number)?;
        self.typed = number + 1;
        self.judge(&self.files[number].clone(), SHELLS[0], true)
    }

    /// Types all of them once more. Afterwards the clone and the home must be as they were.
    pub fn again(&mut self) -> anyhow::Result<Outcome> {
        self.type_those_before(self.files.len())?;
        let mut outcome = Outcome::Holds;
        for file in self.files.clone() {
            let one = self.judge(&file, SHELLS[1], false);
            if let Outcome::Skipped(reason) =
                one.with_context(|| format!("the second time, {}", name_of(&file)))?
            {
                outcome = Outcome::Skipped(reason);
            }
        }
        match self.reader()?.leaves()? {
            None => Ok(Outcome::Skipped(
                "without git, or a repository of it, nothing says what the page leaves".into(),
            )),
            Some(left) if left.is_empty() => Ok(outcome),
            Some(left) => bail!("after the page there is still: {}", left.join(", ")),
        }
    }

    fn type_those_before(&mut self, number: usize) -> anyhow::Result<()> {
        while self.typed < number {
            self.typed += 1;
            let transcript = read(&self.files[self.typed - 1])?;
            self.reader()?.types(&transcript, SHELLS[0])?;
        }
        Ok(())
    }

    fn judge(&mut self, file: &Path, shell: &str, may_rewrite: bool) -> anyhow::Result<Outcome> {
        let user = self.user;
        let transcript = read(file)?;
        let now = self.reader()?.types(&transcript, shell);
        let now = now.and_then(|now| compare(file, &now, may_rewrite.then_some(user)));
        match now.and_then(|()| {
            if may_rewrite {
                self.judge_records(file)
            } else {
                Ok(())
            }
        }) {
            Ok(()) => Ok(Outcome::Holds),
            Err(error) => match others_queues(&transcript)? {
                Some(reason) => Ok(Outcome::Skipped(reason)),
                None => Err(error),
            },
        }
    }

    /// The records that the page draws must be what the same commands write now.
    fn judge_records(&mut self, file: &Path) -> anyhow::Result<()> {
        let (user, transcript) = (self.user, read(file)?);
        if !records::are_wanted(&transcript) {
            return Ok(());
        }
        let now = self.reader()?.types_with(Some(records::VARIABLE), &transcript, SHELLS[0])?;
        let (file, now_text) = (records::file_of(file), records::render(&now)?);
        let written = fs::read_to_string(&file).unwrap_or_default();
        let (before, now_apart) = (records::apart(&written), records::apart(&now_text));
        let Some(difference) = difference(&before, &now_apart) else {
            return Ok(());
        };
        if is_refresh() && (now.who != "both" || user == User::Ordinary) {
            println!("rewriting {}", file.display());
            return fs::write(&file, now_text).with_context(|| format!("write {}", file.display()));
        }
        bail!(
            "{} is not what LAB_LOG=json gives (`make transcripts` rewrites it)\n{difference}",
            file.display()
        )
    }

    fn reader(&mut self) -> anyhow::Result<&Reader> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => Reader::new(self.user, &self.place)?,
        };
        Ok(self.reader.insert(reader))
    }
}

/// `transcripts/04-mount/private`
pub fn name_of(file: &Path) -> String {
    let chapter = file.parent().and_then(Path::file_name).unwrap_or_default();
    let name = file.file_stem().unwrap_or_default();
    format!("transcripts/{}/{}", chapter.display(), name.display())
}

fn read(file: &Path) -> anyhow::Result<Transcript> {
    Transcript::parse(&fs::read_to_string(file)?).with_context(|| name_of(file))
}

/// Why a page cannot be compared on this machine: it lists all System V queues, and another
/// user has one. (As root, the host of the transcripts has none but its own.)
fn others_queues(transcript: &Transcript) -> anyhow::Result<Option<String>> {
    let lists_them = transcript.steps.iter().any(|step| step.command.contains("ipcs"));
    if !lists_them || geteuid().is_root() {
        return Ok(None);
    }
    let table = fs::read_to_string("/proc/sysvipc/msg").context("read /proc/sysvipc/msg")?;
    let own = geteuid().to_string();
    let is_anothers = |line: &str| line.split_whitespace().nth(7).is_some_and(|uid| uid != own);
    let found = table.lines().skip(1).any(is_anothers);
    Ok(found
        .then(|| "another user of this machine has a System V message queue (`ipcs -q`)".into()))
}

/// Whether what is written in the book is to be written anew (`make transcripts`).
pub fn is_refresh() -> bool {
    env::var("SNAPSHOTS").is_ok_and(|word| word == "overwrite")
}

/// The output must be the page's. For the user who may rewrite, a refresh writes its file anew.
fn compare(file: &Path, now: &Transcript, may_rewrite: Option<User>) -> anyhow::Result<()> {
    let (written, now_text) = (fs::read_to_string(file)?, now.render()?);
    let (before, now_apart) = (records::apart(&written), records::apart(&now_text));
    let Some(difference) = difference(&before, &now_apart) else {
        return Ok(());
    };
    if let (true, Some(user)) = (is_refresh(), may_rewrite) {
        // Of two users' transcript the first one is written, and the second must be the same.
        ensure!(
            now.who != "both" || user == User::Ordinary,
            "root gets another output than the user\n{difference}"
        );
        println!("rewriting {}", file.display());
        return fs::write(file, now_text).with_context(|| format!("write {}", file.display()));
    }
    bail!(
        "`{}` prints something else than the page shows (`make transcripts` rewrites it)\n\
         {difference}",
        first_different(&written, now, &now_text)
    )
}

/// The first command whose output differs.
fn first_different<'a>(written: &str, now: &'a Transcript, now_text: &str) -> &'a str {
    let [one, other] = [written, now_text].map(renaming::rename);
    let same = one.lines().zip(other.lines()).take_while(|(one, other)| one == other).count();
    let is_command = |line: &&str| line.starts_with(prompt(&now.who));
    let commands = now_text.lines().take(same + 1).filter(is_command).count();
    &now.steps[commands.saturating_sub(1)].command
}

/// How two transcripts differ by more than names; `None` if they do not.
pub fn difference(written: &str, now: &str) -> Option<String> {
    let [written, now] = [written, now].map(renaming::rename);
    if written == now {
        return None;
    }
    let (written, now) = (Data::text(written), Data::text(now));
    let mut text = String::new();
    let palette = report::Palette::plain();
    match report::write_diff(
        &mut text,
        &written,
        &now,
        Some(&"the page"),
        Some(&"this run"),
        palette,
    ) {
        Ok(()) => Some(text),
        Err(error) => Some(error.to_string()),
    }
}
