//! The workshop: a learner writes each stage by hand, and the book's own checks judge it.
//!
//! | module | question it answers |
//! |---|---|
//! | [`exercise`] | what does an exercise ask for, and what judges it? |
//! | [`given`] | how does a stage run while a piece of it is not the learner's yet? |
//! | [`source`] | how is a piece of source found, taken out and put in? |
//! | [`manifest`] | how does a learner's crate get the chapter's dependencies? |
//! | [`crates`] | what is in a learner's crate, and how is it built? |
//! | [`verdict`] | does a check hold for it, fail, hang, leave a zombie? |
//! | [`state`] | where does a learner stand? |
//! | [`start`] | what happens on `start`? |
//! | [`tutor`] | what does a coding assistant get to read that is opened there? |
//! | [`progress`] | what happens on `progress`, and what comes next? |
//! | [`desk`] | what happens on `hint`, `reset`, `solution`? |
//! | [`marking`] | what happens on `check`? |
//! | [`prose`] | how does Markdown become lines on a terminal? |
//! | [`shown`] | how is it shown: in which colour, how far, and what takes so long? |
//! | [`keys`] | which key was typed, and how is the terminal set back? |
//! | [`watch`] | what happens on `watch`? |
//! | [`timetable`] | how long does a workshop take? |
//! | [`answers`] | which answers are known, right and wrong? |

pub mod answers;
pub mod crates;
pub mod desk;
pub mod exercise;
pub mod given;
pub mod keys;
pub mod manifest;
pub mod marking;
pub mod progress;
pub mod prose;
pub mod shown;
pub mod source;
pub mod start;
pub mod state;
pub mod timetable;
pub mod tutor;
pub mod verdict;
pub mod watch;

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::chapters::{CHAPTERS, Chapter};
use exercise::Exercise;

/// Where everything is.
#[derive(Clone)]
pub struct Workshop {
    /// The repository.
    pub root: PathBuf,
    /// The learner's crates and the state file.
    pub folder: PathBuf,
    /// Where cargo builds the repository.
    pub target: PathBuf,
}

impl Workshop {
    /// The workshop of this repository; `program` is one that cargo built from it.
    ///
    /// # Errors
    ///
    /// The program is not where cargo puts one.
    pub fn of_repository(program: &Path) -> anyhow::Result<Workshop> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("the judge is in the repository")?;
        let target = program
            .ancestors()
            .find(|folder| folder.ends_with("debug"))
            .and_then(Path::parent);
        let target =
            target.context("the workshop runs from target/debug, where `cargo build` puts it")?;
        Ok(Workshop {
            root: root.to_owned(),
            folder: root.join("workshop"),
            target: target.to_owned(),
        })
    }

    /// The exercises of a chapter.
    ///
    /// # Errors
    ///
    /// One of them is not written as it should be.
    pub fn exercises(&self, chapter: &Chapter) -> anyhow::Result<Vec<Exercise>> {
        exercise::of_chapter(chapter.name, &self.root.join("chapters").join(chapter.name))
    }

    /// A path as a learner would type it in the repository.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// A path in the repository as one writes it in `folder`: relative, if the folder is in the
    /// repository, too.
    pub fn way_from(&self, folder: &Path, path: &str) -> String {
        match folder.strip_prefix(&self.root) {
            Ok(inside) => format!("{}{path}", "../".repeat(inside.components().count())),
            Err(_) => self.root.join(path).display().to_string(),
        }
    }

    /// The learner's crate for a chapter.
    pub fn crate_folder(&self, chapter: &str) -> PathBuf {
        self.folder.join(chapter)
    }
}

/// The chapter that a person means by `3`, `03`, `03-pid` or `pid`.
///
/// # Errors
///
/// There is none; the error names those that there are.
pub fn chapter(word: &str) -> anyhow::Result<&'static Chapter> {
    let is_meant = |chapter: &&Chapter| {
        let by_number = word.parse::<u8>().is_ok_and(|number| number == chapter.number());
        by_number || word == chapter.name || word == &chapter.name[3..]
    };
    CHAPTERS.iter().find(is_meant).with_context(|| {
        let names: Vec<&str> = CHAPTERS.iter().map(|chapter| chapter.name).collect();
        format!("there is no chapter {word:?}; there are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::chapter;

    #[test]
    fn a_chapter_has_a_number_and_a_name() {
        for word in ["3", "03", "03-pid", "pid"] {
            assert_eq!(chapter(word).unwrap().name, "03-pid");
        }
        for word in ["", "0", "42", "-3", "03-", "../03-pid"] {
            assert!(
                chapter(word).err().unwrap().to_string().contains("there are 01-uts, 02-ipc"),
                "{word:?}"
            );
        }
    }
}
