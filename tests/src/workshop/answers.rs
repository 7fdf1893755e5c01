//! Which answers to an exercise are known, right and wrong?
//!
//! Beside `4-volume.md` is the folder `4-volume`:
//!
//! | file | what it is |
//! |---|---|
//! | `solution.patch` | of a further exercise: the chapter's source to one that passes |
//! | `wrong/*.rs` | a wrong text in place of what the hole takes out |
//! | `wrong/*.patch` | a change of the right answer that makes it wrong |
//!
//! A wrong answer begins with `// key: value` lines (in a patch, without the `//`):
//!
//! ```text
//! // says: a new mount namespace is a copy whose mounts are still tied
//! // shows: root
//! // verdict: FAILS
//! // hole: exercise-private
//! ```
//!
//! | key | meaning |
//! |---|---|
//! | `says` | a part of the sentence that the learner must get: what is wrong here |
//! | `shows` | the users as whom it shows [default: `root user`, each alone] |
//! | `verdict` | how the check ends, as `Verdict::parts` has it [default: `FAILS`] |
//! | `hole` | which hole, where the exercise has several; the others get the chapter's text |

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

use super::{
    Workshop,
    crates::{Files, stripped},
    exercise::Exercise,
    source::{self, read_patch},
};

/// A known wrong answer.
pub struct Wrong {
    /// Its file's name without the ending.
    pub name: String,
    /// A part of the sentence that the learner must get.
    pub says: String,
    /// The users as whom it shows: `root`, `user`.
    pub shows: Vec<String>,
    /// The verdict's word.
    pub verdict: String,
    /// The sources with it.
    pub files: Files,
}

/// The lines at its beginning.
struct Head<'a> {
    says: Option<&'a str>,
    shows: &'a str,
    verdict: &'a str,
    hole: Option<&'a str>,
}

impl<'a> Head<'a> {
    /// Of a wrong answer's text, and what comes after it.
    fn of(text: &'a str) -> (Head<'a>, &'a str) {
        let mut head = Head {
            says: None,
            shows: "root user",
            verdict: "FAILS",
            hole: None,
        };
        let mut body = text;
        for line in text.split_inclusive('\n') {
            let words = line.strip_prefix("// ").unwrap_or(line).trim_end();
            match words.split_once(": ") {
                Some(("says", value)) => head.says = Some(value),
                Some(("shows", value)) => head.shows = value,
                Some(("verdict", value)) => head.verdict = value,
                Some(("hole", value)) => head.hole = Some(value),
                _ => break,
            }
            body = &body[line.len()..];
        }
        (head, body)
    }
}

impl Workshop {
    /// The sources that pass: the chapter's own, or with the further exercise's solution.
    ///
    /// # Errors
    ///
    /// The solution is missing, or does not fit the chapter any more.
    pub fn right_answer(&self, exercise: &Exercise) -> anyhow::Result<Files> {
        let files = stripped(self.chapter_source(exercise.chapter)?);
        if !exercise.is_further() {
            return Ok(files);
        }
        patched(files, &self.answers_of(exercise).join("solution.patch"))
    }

    /// The folder with an exercise's known answers.
    pub fn answers_of(&self, exercise: &Exercise) -> PathBuf {
        self.root
            .join("chapters")
            .join(exercise.chapter)
            .join("exercises")
            .join(exercise.file_stem())
    }

    /// The known wrong answers, by name.
    ///
    /// # Errors
    ///
    /// A file of them breaks the rules above, or does not fit the chapter any more.
    pub fn wrong_answers(&self, exercise: &Exercise) -> anyhow::Result<Vec<Wrong>> {
        let folder = self.answers_of(exercise).join("wrong");
        let entries =
            fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))?;
        let mut files: Vec<_> =
            entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
        files.sort();
        let read =
            |file: &PathBuf| self.wrong(exercise, file).with_context(|| file.display().to_string());
        files.iter().map(read).collect()
    }

    fn wrong(&self, exercise: &Exercise, file: &Path) -> anyhow::Result<Wrong> {
        let text = fs::read_to_string(file)?;
        let (head, body) = Head::of(&text);
        let files = match file.extension().and_then(|extension| extension.to_str()) {
            Some("patch") => patched(self.right_answer(exercise)?, file)?,
            Some("rs") => self.with_wrong_piece(exercise, head.hole, body)?,
            _ => bail!("neither .rs nor .patch"),
        };
        Ok(Wrong {
            name: file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            says: head.says.context("no line `says: …`")?.to_owned(),
            shows: head.shows.split(' ').map(str::to_owned).collect(),
            verdict: head.verdict.to_owned(),
            files,
        })
    }

    fn with_wrong_piece(
        &self,
        exercise: &Exercise,
        anchor: Option<&str>,
        piece: &str,
    ) -> anyhow::Result<Files> {
        let anchor = match (&exercise.holes[..], anchor) {
            ([hole], None) => hole.anchor.as_str(),
            (_, Some(anchor)) => anchor,
            _ => bail!("say which hole: the exercise has {}", exercise.holes.len()),
        };
        let mut files = self.chapter_source(exercise.chapter)?;
        let file = files.iter_mut().find(|(_, text)| source::has_anchor(text, anchor));
        let (_, text) = file.with_context(|| format!("no anchor {anchor}"))?;
        *text = source::with_answer(text, anchor, piece).context("no such anchor")?;
        Ok(stripped(files))
    }
}

fn patched(mut files: Files, patch: &Path) -> anyhow::Result<Files> {
    let what = || patch.display().to_string();
    let text = fs::read_to_string(patch).with_context(what)?;
    for part in read_patch(&text).with_context(what)? {
        let file = files
            .get_mut(&part.file)
            .with_context(|| format!("no file {}", part.file))
            .with_context(what)?;
        let after = part.apply(file).with_context(what)?;
        ensure!(after != *file, "{}: it changes nothing", patch.display());
        *file = after;
    }
    Ok(files)
}

/// Builds an answer's sources in `folder`, as a learner's crate is built, and returns the stage.
///
/// # Errors
///
/// They do not build.
pub fn build(
    workshop: &Workshop,
    chapter: &str,
    files: &Files,
    folder: &Path,
) -> anyhow::Result<PathBuf> {
    workshop.write_crate(chapter, files, folder)?;
    let (binary, _) = workshop
        .build(chapter, folder)?
        .map_err(anyhow::Error::msg)
        .context("it does not build")?;
    Ok(binary)
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_answer_begins_with_lines_about_it() {
        let head = |text| {
            let (head, body) = Head::of(text);
            (head.says, head.shows, head.verdict, head.hole, body)
        };
        let text = "// says: so\n// shows: root\n// hole: exercise-a\nf();\n// says: b\n";
        let expected = (Some("so"), "root", "FAILS", Some("exercise-a"), "f();\n// says: b\n");
        assert_eq!(head(text), expected);
        let patch = "says: so\nverdict: SKIPPED\n--- a/x\n";
        assert_eq!(head(patch), (Some("so"), "root user", "SKIPPED", None, "--- a/x\n"));
        // As an editor of another system writes it, and with nothing after it.
        assert_eq!(head("// says: so\r\nf();\r\n").4, "f();\r\n");
        assert_eq!(head("// says: so").4, "");
    }
}
