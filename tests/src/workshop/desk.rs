//! What happens on `hint`, `reset`, `solution`?

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use similar::TextDiff;

use super::{
    Workshop, chapter,
    crates::{Files, anchored, read_files},
    exercise::{Exercise, Hole},
    given::is_given,
    prose::wrapped,
    source,
    start::{as_handed_out, hand_out, keep},
    state::State,
    tutor,
};
use crate::chapters::{CHAPTERS, Chapter};

/// A learner's desk: the chapter and the exercise that lie on it.
pub struct Desk {
    /// Where everything is.
    pub workshop: Workshop,
    /// The program that runs.
    pub program: PathBuf,
    /// What the state file says.
    pub state: State,
    /// The chapter.
    pub chapter: &'static Chapter,
    /// All its exercises.
    pub exercises: Vec<Exercise>,
    /// The one at hand.
    pub exercise: Exercise,
}

impl Desk {
    /// The desk with the exercise that was started last, in this chapter or in any.
    ///
    /// # Errors
    ///
    /// Nothing was started, or its crate is gone.
    pub fn find(workshop: Workshop, program: PathBuf, word: Option<&str>) -> anyhow::Result<Desk> {
        let state = State::read(&workshop.folder)?;
        let named = word.map(chapter).transpose()?;
        let latest = state.latest(named.map(|chapter| chapter.name));
        let latest = latest.with_context(|| match named {
            Some(chapter) => {
                format!("{} is not started: make start CH={}", chapter.name, &chapter.name[..2])
            }
            None => "nothing is started: make start CH=01, or any other chapter".into(),
        })?;
        let chapter = chapter(&latest.chapter)?;
        let exercises = workshop.exercises(chapter)?;
        let exercise = exercises.iter().find(|exercise| exercise.slug == latest.slug);
        let exercise = exercise.with_context(|| {
            format!("{} has no exercise {:?} any more", chapter.name, latest.slug)
        })?;
        let folder = workshop.crate_folder(chapter.name);
        ensure!(
            folder.join("Cargo.toml").exists(),
            "{} is gone: make start CH={} EX={} makes it again",
            folder.display(),
            &chapter.name[..2],
            exercise.number
        );
        Ok(Desk {
            exercise: exercise.clone(),
            workshop,
            program,
            state,
            chapter,
            exercises,
        })
    }

    /// After an exercise is done: the next one, or the next chapter.
    pub fn say_what_comes(&self) {
        let number = &self.chapter.name[..2];
        if let Some(next) = self.exercises.iter().find(|exercise| !self.state.is_done(exercise)) {
            println!("Next, exercise {}, {}: make start CH={number}", next.number, next.title);
            return;
        }
        match CHAPTERS.iter().find(|chapter| chapter.number() == self.chapter.number() + 1) {
            Some(next) => {
                println!("That was {}. Next: make start CH={}", self.chapter.name, &next.name[..2])
            }
            None => println!("That was the last chapter. Where you stand: make progress"),
        }
    }

    /// The next hint of the exercise at hand.
    ///
    /// # Errors
    ///
    /// The state file cannot be written.
    pub fn hint(&mut self) -> anyhow::Result<()> {
        let number = &self.chapter.name[..2];
        let entry = self.state.of(&self.exercise).context("the exercise is started")?;
        let (stand, given) = (entry.stand, entry.hints);
        let Some(hint) = self.exercise.hints.get(given) else {
            println!("{}\n", wrapped(&self.exercise.hints.join("\n\n")));
            println!("These are all three. An answer that passes: make solution CH={number}");
            return Ok(());
        };
        println!("{}\n", wrapped(hint));
        self.state.change(&self.exercise, stand, given + 1)?;
        println!("Then: make check CH={number}");
        Ok(())
    }

    /// The difference between the learner's crate and an answer that passes.
    ///
    /// # Errors
    ///
    /// A file of the learner's crate cannot be read.
    pub fn solution(&self) -> anyhow::Result<()> {
        let folder = self.workshop.crate_folder(self.chapter.name);
        let right = self.right_answer_for_this(&folder)?;
        let difference = difference(&folder, &right)?;
        if !difference.is_empty() {
            println!("{difference}");
            println!(
                "`+` is an answer that passes. With yours changed: make check CH={}",
                &self.chapter.name[..2]
            );
        } else {
            println!(
                "Yours is that answer, line for line: make check CH={}",
                &self.chapter.name[..2]
            );
        }
        Ok(())
    }

    /// An answer that passes, and in it no piece that is still given: it is the answer to another
    /// exercise.
    fn right_answer_for_this(&self, folder: &Path) -> anyhow::Result<Files> {
        let chapter = self.workshop.chapter_source(self.chapter.name)?;
        let mut right = self.workshop.right_answer(&self.exercise)?;
        let learners = read_files(folder, "src")?;
        for exercise in &self.exercises {
            for hole in &exercise.holes {
                let file = anchored(&chapter, hole)?;
                let Some(line) = line_of(learners.get(&file), hole) else {
                    continue;
                };
                let text = right.get(&file).context("an answer has the chapter's files")?;
                let with = source::with_piece_replaced(text, &chapter[&file], hole, line);
                if let Some(with) = with {
                    right.insert(file, with);
                }
            }
        }
        Ok(right)
    }

    /// Hands the exercise out again. What the learner wrote goes into a backup, with `force` only.
    ///
    /// # Errors
    ///
    /// The learner has written something, and `force` was not given.
    pub fn reset(&mut self, force: bool) -> anyhow::Result<()> {
        let number = &self.chapter.name[..2];
        let folder = self.workshop.crate_folder(self.chapter.name);
        let handed_out = match as_handed_out(&folder)? {
            Some(files) => files,
            None => self.workshop.handed_out(&self.exercise)?,
        };
        let learners = read_files(&folder, "src")?;
        if handed_out.iter().filter(|(file, _)| file.starts_with("src/")).eq(&learners) {
            println!(
                "{} is as it was handed out: make check CH={number}",
                self.workshop.shown(&folder)
            );
            return Ok(());
        }
        let way = format!(
            "make reset CH={number} FORCE=1 keeps it as a backup and hands the exercise out again"
        );
        ensure!(force, "{} has your work in it: {way}", self.workshop.shown(&folder));
        let agents = tutor::changed(&folder)?;
        println!("Your work is in {} now.", self.workshop.shown(&keep(&folder)?));
        let of = self.exercises.len();
        hand_out(&self.workshop, &mut self.state, &self.exercise, of, &handed_out, agents)
    }
}

/// The line with which a learner's file includes the piece, if it is given.
fn line_of<'a>(text: Option<&'a String>, hole: &Hole) -> Option<&'a str> {
    text?.split_inclusive('\n').find(|line| is_given(line, hole))
}

/// What changes the learner's files into these, as a unified diff.
fn difference(learners: &Path, right: &Files) -> anyhow::Result<String> {
    let mut difference = String::new();
    for (file, text) in right {
        let path = learners.join(file);
        let learners =
            fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let lines = TextDiff::from_lines(&learners, text);
        difference += &lines.unified_diff().header("yours", file).to_string();
    }
    Ok(difference)
}
