//! What happens on `watch`?

use std::{
    fs,
    io::{IsTerminal, Write, stdout},
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{
    Workshop,
    desk::Desk,
    keys::{Event, Keys},
};

/// How often is looked whether a file was saved.
const MOMENT: Duration = Duration::from_millis(200);

/// A learner's desk that is watched.
struct Watch {
    workshop: Workshop,
    program: PathBuf,
    chapter: &'static str,
    keys: Option<Keys>,
    /// What the files were when they were checked last.
    seen: Option<(SystemTime, usize)>,
    /// What they were a moment ago.
    latest: Option<(SystemTime, usize)>,
}

/// Checks again at every change of a file. On a terminal it takes keys: h, n, p and q.
///
/// # Errors
///
/// Nothing was started; the check could not be run.
pub fn watch(workshop: Workshop, program: PathBuf, word: Option<&str>) -> anyhow::Result<()> {
    let chapter = Desk::find(workshop.clone(), program.clone(), word)?.chapter.name;
    let mut watch = Watch {
        workshop,
        program,
        chapter,
        keys: Keys::listen()?,
        seen: None,
        latest: None,
    };
    let end = watch.until_the_end()?;
    match (watch.keys.take(), end) {
        (Some(keys), Some(signal)) => keys.end_by(signal),
        _ => Ok(()),
    }
}

impl Watch {
    /// Returns the signal that ends it, or `None` for q.
    fn until_the_end(&mut self) -> anyhow::Result<Option<Signal>> {
        loop {
            let now = changed(&self.source());
            let mut event = Event::Nothing;
            // Several files that are saved together are checked together: when nothing has changed
            // for a moment.
            let rests = self.seen.is_none() || self.latest == now;
            self.latest = now;
            if self.seen != now && rests {
                self.seen = now;
                event = self.runs(&["check", self.chapter])?;
            }
            if event == Event::Nothing {
                event = match &self.keys {
                    Some(keys) => keys.next(MOMENT)?,
                    None => {
                        sleep(MOMENT);
                        Event::Nothing
                    }
                };
            }
            if let Event::Key(key) = event {
                event = match key {
                    b'h' => self.runs(&["hint", self.chapter])?,
                    b'p' => self.runs(&["progress"])?,
                    b'n' => self.goes_on()?,
                    b'q' => return Ok(None),
                    _ => Event::Nothing,
                };
            }
            if let Event::End(signal) = event {
                return Ok(Some(signal));
            }
        }
    }

    /// The next exercise, if this one is done; its check waits for the first change.
    fn goes_on(&mut self) -> anyhow::Result<Event> {
        let event = self.shows(&["start"])?;
        let desk = Desk::find(self.workshop.clone(), self.program.clone(), None)?;
        self.chapter = desk.chapter.name;
        // Before you are told that you can save.
        self.seen = changed(&self.source());
        self.says_what_to_do(event)
    }

    fn source(&self) -> PathBuf {
        self.workshop.crate_folder(self.chapter).join("src")
    }

    /// Runs this program with these words, and says what to do then.
    fn runs(&self, words: &[&str]) -> anyhow::Result<Event> {
        let event = self.shows(words)?;
        self.says_what_to_do(event)
    }

    /// Runs this program with these words, on a screen of its own.
    fn shows(&self, words: &[&str]) -> anyhow::Result<Event> {
        let mut out = stdout().lock();
        if out.is_terminal() {
            out.write_all(b"\x1b[2J\x1b[H").and_then(|()| out.flush()).context("clear")?;
        }
        let mut command = Command::new(&self.program);
        command.arg("--folder").arg(&self.workshop.folder).args(words);
        let mut child = command.spawn().with_context(|| format!("run {}", words.join(" ")))?;
        while child.try_wait().context("wait for it")?.is_none() {
            let Some(keys) = &self.keys else {
                child.wait().context("wait for it")?;
                break;
            };
            if let Event::End(signal) = keys.next_signal(MOMENT / 10)? {
                // Ctrl-C has reached it already; what kill(1) sends, only this process gets.
                let pid = Pid::from_raw(child.id().try_into()?);
                kill(pid, signal).with_context(|| format!("pass {signal} on"))?;
                child.wait().context("wait for it")?;
                return Ok(Event::End(signal));
            }
        }
        Ok(Event::Nothing)
    }

    fn says_what_to_do(&self, event: Event) -> anyhow::Result<Event> {
        if event != Event::Nothing {
            return Ok(event); // it ends
        }
        let keys = match self.keys {
            Some(_) => "Keys: h hint, n next exercise, p progress, q quit",
            None => "Ctrl-C ends it.",
        };
        let folder = self.workshop.shown(&self.source());
        writeln!(stdout(), "\nSave a file of {folder}: it is checked at once.\n{keys}")?;
        Ok(event)
    }
}

/// When a file under the folder was last changed, and how many there are.
fn changed(folder: &Path) -> Option<(SystemTime, usize)> {
    let times: Vec<SystemTime> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter_map(|entry| match entry.file_type().ok()?.is_dir() {
            true => Some(changed(&entry.path())?.0),
            false => entry.metadata().ok()?.modified().ok(),
        })
        .collect();
    Some((times.iter().max().copied()?, times.len()))
}
