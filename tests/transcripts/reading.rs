//! Does a page hold for a reader who types it from top to bottom, and then again?

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, bail, ensure};
use judge::{Outcome, User};
use libtest_mimic::Trial;
use snapbox::{Data, report};

use crate::{
    harness::trial_or_skip, place::Place, reader::Reader, renaming, transcript::Transcript,
};

/// The shells of the two times.
const SHELLS: [&str; 2] = ["sh", "bash"];

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
        let with =
            |name: String,
             test: Box<dyn FnOnce(&mut Reading) -> anyhow::Result<Outcome> + Send>| {
                let reading = Arc::clone(&reading);
                trial_or_skip(name, move || {
                    test(&mut reading.lock().unwrap_or_else(PoisonError::into_inner))
                })
            };
        let one = |(number, file): (usize, &PathBuf)| {
            let name = format!("{page}: {} as {user}", name_of(file));
            with(
                name,
                Box::new(move |reading| reading.first_time(number).map(|()| Outcome::Holds)),
            )
        };
        let mut trials: Vec<Trial> = files.iter().enumerate().map(one).collect();
        let again = format!("{page}: again as {user}, and nothing is left");
        trials.push(with(again, Box::new(Reading::again)));
        trials
    }

    /// Types one transcript and compares, or rewrites its file. Those above it come first.
    pub fn first_time(&mut self, number: usize) -> anyhow::Result<()> {
        while self.typed < number {
            self.typed += 1;
            let transcript = read(&self.files[self.typed - 1])?;
            self.reader()?.types(&transcript, SHELLS[0])?;
        }
        self.typed = number + 1;
        let file = self.files[number].clone();
        let now = self.reader()?.types(&read(&file)?, SHELLS[0])?;
        compare(&file, &now, Time::First(self.user))
    }

    /// Types all of them once more. Afterwards the clone and the home must be as they were.
    pub fn again(&mut self) -> anyhow::Result<Outcome> {
        if self.typed < self.files.len() {
            self.first_time(self.files.len() - 1)?;
        }
        for file in self.files.clone() {
            let now = self.reader()?.types(&read(&file)?, SHELLS[1]);
            let same = now.and_then(|now| compare(&file, &now, Time::Second));
            same.with_context(|| format!("the second time, {}", name_of(&file)))?;
        }
        match self.reader()?.leaves()? {
            None => Ok(Outcome::Skipped("git knows nothing of this workspace".into())),
            Some(left) if left.is_empty() => Ok(Outcome::Holds),
            Some(left) => bail!("after the page there is still: {}", left.join(", ")),
        }
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

/// Which time it is: the second one rewrites nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    First(User),
    Second,
}

fn compare(file: &Path, now: &Transcript, time: Time) -> anyhow::Result<()> {
    let (written, now_text) = (fs::read_to_string(file)?, now.render()?);
    let Some(difference) = difference(&written, &now_text) else {
        return Ok(());
    };
    let is_refresh = env::var("SNAPSHOTS").is_ok_and(|word| word == "overwrite");
    if let (true, Time::First(user)) = (is_refresh, time) {
        // Of two users' transcript the first one is written, and the second must be the same.
        ensure!(
            now.who != "both" || user == User::Ordinary,
            "root gets another output than the user\n{difference}"
        );
        println!("rewriting {}", file.display());
        return fs::write(file, now_text).with_context(|| format!("write {}", file.display()));
    }
    bail!(
        "`{}` prints something else than the page shows (`make transcripts` rewrites it)\n{difference}",
        first_different(&written, now)
    )
}

/// The first command whose output differs.
fn first_different(written: &str, now: &Transcript) -> String {
    let upto = |number: usize| {
        let steps = now.steps[..=number].to_vec();
        let part = Transcript {
            steps,
            ..now.clone()
        }
        .render()
        .unwrap_or_default();
        renaming::rename(written).starts_with(&renaming::rename(&part))
    };
    let number = (0..now.steps.len()).find(|number| !upto(*number)).unwrap_or_default();
    now.steps[number].command.clone()
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
