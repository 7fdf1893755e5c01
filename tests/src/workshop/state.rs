//! Where does a learner stand?
//!
//! `workshop/progress` is a text file with a line an exercise, the latest last:
//!
//! ```text
//! 04-mount private done 1
//! 04-mount proc open 0
//! ```
//!
//! The chapter, the exercise, `open` or `done`, and how many hints were asked for. Lines
//! that begin with `#` are the reader's own.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

use crate::chapters::CHAPTERS;

use super::{
    crates::{Files, write_files},
    exercise::Exercise,
};

/// Whether an exercise is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Stand {
    /// It was handed out.
    Open,
    /// It has passed.
    Done,
}

/// What the file says of one exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The chapter's folder.
    pub chapter: String,
    /// The exercise.
    pub slug: String,
    /// Whether it is done.
    pub stand: Stand,
    /// How many hints were asked for.
    pub hints: usize,
}

/// The state file.
pub struct State {
    path: PathBuf,
    comments: Vec<String>,
    entries: Vec<Entry>,
}

impl State {
    /// Reads the file in the workshop's folder; none is an empty one.
    ///
    /// # Errors
    ///
    /// A line is not one of the above.
    pub fn read(folder: &Path) -> anyhow::Result<State> {
        let path = folder.join("progress");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text.with_context(|| format!("read {}", path.display()))?,
        };
        let (comments, lines): (Vec<_>, Vec<_>) = text
            .lines()
            .map(str::to_owned)
            .partition(|line| line.is_empty() || line.starts_with('#'));
        let entry =
            |line: &String| entry(line).with_context(|| format!("{}: {line:?}", path.display()));
        let entries = lines.iter().map(entry).collect::<anyhow::Result<_>>()?;
        Ok(State {
            path,
            comments,
            entries,
        })
    }

    /// What the file says of an exercise.
    pub fn of(&self, exercise: &Exercise) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.chapter == exercise.chapter && entry.slug == exercise.slug)
    }

    /// The latest entry of a chapter, or of all.
    pub fn latest(&self, chapter: Option<&str>) -> Option<&Entry> {
        self.entries
            .iter()
            .rev()
            .find(|entry| chapter.is_none_or(|chapter| entry.chapter == chapter))
    }

    /// Whether it is done.
    pub fn is_done(&self, exercise: &Exercise) -> bool {
        self.of(exercise).is_some_and(|entry| entry.stand == Stand::Done)
    }

    /// Changes or makes an exercise's entry, which is the latest then, and writes the file.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn change(
        &mut self,
        exercise: &Exercise,
        stand: Stand,
        hints: usize,
    ) -> anyhow::Result<()> {
        let new = Entry {
            chapter: exercise.chapter.into(),
            slug: exercise.slug.clone(),
            stand,
            hints,
        };
        self.entries
            .retain(|entry| (&entry.chapter, &entry.slug) != (&new.chapter, &new.slug));
        self.entries.push(new);
        let mut text: String = self.comments.iter().map(|line| format!("{line}\n")).collect();
        for entry in &self.entries {
            let stand = if entry.stand == Stand::Done {
                "done"
            } else {
                "open"
            };
            text += &format!("{} {} {stand} {}\n", entry.chapter, entry.slug, entry.hints);
        }
        let folder = self.path.parent().context("the state file is in a folder")?;
        write_files(&Files::from([("progress".to_owned(), text)]), folder)
    }
}

fn entry(line: &str) -> anyhow::Result<Entry> {
    let words: Vec<&str> = line.split(' ').collect();
    let [chapter, slug, stand, hints] = words[..] else {
        bail!("not `CHAPTER EXERCISE open|done HINTS`: mend or delete the line")
    };
    let stand = match stand {
        "open" => Stand::Open,
        "done" => Stand::Done,
        _ => bail!("{stand:?} is neither open nor done: mend or delete the line"),
    };
    ensure!(
        CHAPTERS.iter().any(|known| known.name == chapter),
        "{chapter:?} is no chapter: mend or delete the line"
    );
    ensure!(!slug.is_empty(), "it names no exercise: mend or delete the line");
    let hints = hints
        .parse()
        .ok()
        .filter(|_| !hints.starts_with('+'))
        .with_context(|| format!("{hints:?} is no number of hints: mend or delete the line"))?;
    Ok(Entry {
        chapter: chapter.into(),
        slug: slug.into(),
        stand,
        hints,
    })
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_exercise() {
        let read = entry("04-mount private done 1").unwrap();
        assert_eq!(read.stand, Stand::Done);
        for wrong in
            ["", "04-mount private", "04-mount private half 1", "04-mount private open many"]
                .into_iter()
                .chain(["4 private open 1", " private open 1", "é private open 1"])
                .chain(["04-mount  open 1", "04-mount private open +1"])
        {
            assert!(entry(wrong).is_err(), "{wrong:?}");
        }
    }
}
