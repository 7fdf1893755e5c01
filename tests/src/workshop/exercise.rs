//! What does an exercise ask for, and what judges it?
//!
//! An exercise is one Markdown file, `chapters/NN-name/exercises/N-slug.md`, which the
//! book's page includes and the runner reads. It begins with a comment of `key: value`
//! lines, which the book does not show:
//!
//! ```text
//! <!--
//! minutes: 15
//! hole: exercise-private = make every mount of this namespace private
//! check: 04 no mount inside is tied to one outside
//! -->
//! ### Cut the tie
//!
//! **Task.** …
//!
//! **Why.** …
//!
//! **What the check looks at.** …
//!
//! <details><summary>Hint 1: a question</summary>
//!
//! …
//!
//! </details>
//! ```
//!
//! | key | meaning |
//! |---|---|
//! | `minutes` | how long it takes most people |
//! | `hole` | an ANCHOR of the chapter's source, and the sentence of its `todo!` |
//! | `put` | likewise, but the whole text that takes its place |
//! | `check` | a chapter's number and the name of one of its checks; first things first |
//!
//! Without a hole it is a further exercise: its answer is not in the chapter but in
//! `N-slug/solution.patch`. Known wrong answers are in `N-slug/wrong/` (see [`super::answers`]).

use std::{fs, path::Path};

use anyhow::{Context, bail, ensure};

use crate::checks::{self, Check};

/// A piece that is taken out of the chapter's source.
#[derive(Clone, Debug)]
pub struct Hole {
    /// The ANCHOR around it.
    pub anchor: String,
    /// The text that takes its place, a line or more.
    pub put: String,
}

/// One exercise of a chapter.
#[derive(Clone)]
pub struct Exercise {
    /// The chapter's folder, such as `04-mount`.
    pub chapter: &'static str,
    /// Its place in the chapter, from 1.
    pub number: usize,
    /// Its file's name without the number, such as `private`: what the state file calls it.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// How long it takes most people.
    pub minutes: u32,
    /// What is taken out; nothing for a further exercise.
    pub holes: Vec<Hole>,
    /// What is asked first, in this order.
    pub checks: Vec<&'static Check>,
    /// What to do, as Markdown.
    pub task: String,
    /// All that a learner reads first, as Markdown: its title, the task, why, and what the check
    /// looks at. The hints are not in it.
    pub page: String,
    /// Three, each nearer to the line.
    pub hints: Vec<String>,
}

impl Exercise {
    /// Whether its answer is not in the chapter.
    pub fn is_further(&self) -> bool {
        self.holes.is_empty()
    }

    /// `N-slug`, as its file and its folder are called.
    pub fn file_stem(&self) -> String {
        format!("{}-{}", self.number, self.slug)
    }
}

/// The exercises of a chapter, in their order.
///
/// # Errors
///
/// A file of them breaks the rules above.
pub fn of_chapter(chapter: &'static str, folder: &Path) -> anyhow::Result<Vec<Exercise>> {
    let folder = folder.join("exercises");
    let mut files: Vec<_> = match fs::read_dir(&folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).with_context(|| format!("read {}", folder.display())),
    };
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    let read = |(index, file): (usize, &std::path::PathBuf)| {
        let what = || format!("exercise {}", file.display());
        let text = fs::read_to_string(file).with_context(what)?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let slug = stem.strip_prefix(&format!("{}-", index + 1));
        let slug = slug
            .context("the files are numbered 1-…, 2-…, without a gap")
            .with_context(what)?;
        parse(chapter, index + 1, slug, &text).with_context(what)
    };
    files.iter().enumerate().map(read).collect()
}

fn parse(chapter: &'static str, number: usize, slug: &str, text: &str) -> anyhow::Result<Exercise> {
    let (head, body) = text
        .strip_prefix("<!--\n")
        .and_then(|rest| rest.split_once("-->\n"))
        .context("it does not begin with a comment of `key: value` lines")?;
    let title = body
        .lines()
        .find_map(|line| line.strip_prefix("### "))
        .context("it has no title (`### …`)")?;
    let mut exercise = Exercise {
        chapter,
        number,
        slug: slug.to_owned(),
        title: title.to_owned(),
        minutes: 0,
        holes: Vec::new(),
        checks: Vec::new(),
        task: paragraphs_from(body, "**Task.**").context("it has no `**Task.**`")?,
        page: body.split("<details>").next().unwrap_or_default().trim().to_owned(),
        hints: hints(body)?,
    };
    for part in ["**Why.**", "**What the check looks at.**"] {
        ensure!(paragraphs_from(body, part).is_some(), "it has no `{part}`");
    }
    for line in head.lines() {
        exercise.read_line(line).with_context(|| format!("line {line:?}"))?;
    }
    ensure!(exercise.minutes > 0, "it does not say how many minutes it takes");
    ensure!(!exercise.checks.is_empty(), "no check judges it");
    ensure!(exercise.hints.len() == 3, "it has {} hints, not three", exercise.hints.len());
    Ok(exercise)
}

impl Exercise {
    fn read_line(&mut self, line: &str) -> anyhow::Result<()> {
        let (key, value) = line.split_once(": ").context("write `key: value`")?;
        let anchored = || value.split_once(" = ").context("write `anchor = text`");
        match key {
            "minutes" => self.minutes = value.parse().context("a number")?,
            "hole" => {
                let (anchor, sentence) = anchored()?;
                self.holes.push(Hole {
                    anchor: anchor.into(),
                    put: format!("todo!({sentence:?});"),
                });
            }
            "put" => {
                let (anchor, put) = anchored()?;
                ensure!(
                    put.contains("todo!"),
                    "the text has no todo!, and nobody would see that it is left"
                );
                self.holes.push(Hole {
                    anchor: anchor.into(),
                    put: put.into(),
                });
            }
            "check" => self.checks.push(checks::named(value).context("there is no such check")?),
            _ => bail!("there is no such key"),
        }
        Ok(())
    }
}

/// The paragraphs from the one that begins with `start` up to the next `**…**` or hint.
fn paragraphs_from(body: &str, start: &str) -> Option<String> {
    let from = &body[body.find(start)? + start.len()..];
    let end = [from.find("\n**"), from.find("\n<details>")]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(from.len());
    Some(from[..end].trim().to_owned())
}

/// Each between `<details><summary>Hint …</summary>` and `</details>`, its title first.
fn hints(body: &str) -> anyhow::Result<Vec<String>> {
    let mut hints = Vec::new();
    for piece in body.split("<details><summary>Hint ").skip(1) {
        let (title, rest) =
            piece.split_once("</summary>").context("a hint's <summary> has no end")?;
        let (hint, _) = rest.split_once("</details>").context("a hint has no </details>")?;
        hints.push(format!("Hint {title}\n\n{}", hint.trim()));
    }
    Ok(hints)
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const TEXT: &str = "<!--\nminutes: 5\nhole: exercise-x = do it\n\
                        check: 01 the exit status is the command's\n-->\n\
                        ### A title\n\n**Task.** Do it.\n\nWell.\n\n**Why.** So.\n\n\
                        **What the check looks at.** That.\n\n\
                        <details><summary>Hint 1: a</summary>\n\nAsk.\n\n</details>\n\
                        <details><summary>Hint 2: b</summary>\n\nB\n\n\
                        </details>\n<details><summary>Hint 3: c</summary>\n\nC\n\n</details>\n";

    #[test]
    fn an_exercise_is_one_markdown_file() {
        let exercise = parse("01-uts", 1, "x", TEXT).unwrap();
        assert_eq!(exercise.title, "A title");
        assert_eq!(exercise.task, "Do it.\n\nWell.");
        assert!(exercise.page.starts_with("### A title") && exercise.page.ends_with("That."));
        assert_eq!(exercise.holes[0].put, "todo!(\"do it\");");
        assert_eq!(exercise.hints, ["Hint 1: a\n\nAsk.", "Hint 2: b\n\nB", "Hint 3: c\n\nC"]);
    }

    #[test]
    fn what_is_missing_or_unknown_is_an_error() {
        for (from, to, words) in [
            ("minutes: 5", "hours: 5", "no such key"),
            ("01 the exit", "01 an exit", "no such check"),
            ("Hint 3", "hint 3", "2 hints"),
            ("**Why.**", "Why.", "**Why.**"),
            ("### A title", "A title", "title"),
        ] {
            let wrong = parse("01-uts", 1, "x", &TEXT.replace(from, to)).err().expect(words);
            assert!(format!("{wrong:#}").contains(words), "{wrong:#}");
        }
    }
}
