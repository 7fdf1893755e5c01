//! How is a piece of source found, taken out and put in?

use std::ops::Range;

use anyhow::{Context, ensure};

use super::exercise::Hole;

/// `text` without the lines that mark an ANCHOR for the book or for an exercise.
pub fn without_anchors(text: &str) -> String {
    let lines = text.split_inclusive('\n').filter(|line| !is_anchor(line));
    lines.collect()
}

fn is_anchor(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("// ANCHOR: ") || line.starts_with("// ANCHOR_END: ")
}

/// Where the piece between the two marks of `anchor` is, if `text` has it.
fn piece(text: &str, anchor: &str) -> Option<Range<usize>> {
    let (mut at, mut start) = (0, None);
    for line in text.split_inclusive('\n') {
        match line.trim() {
            mark if mark == format!("// ANCHOR: {anchor}") => start = Some(at + line.len()),
            mark if mark == format!("// ANCHOR_END: {anchor}") => return Some(start?..at),
            _ => {}
        }
        at += line.len();
    }
    None
}

/// The piece itself.
pub fn piece_of<'a>(text: &'a str, anchor: &str) -> Option<&'a str> {
    Some(&text[piece(text, anchor)?])
}

/// Whether `text` has this anchor.
pub fn has_anchor(text: &str, anchor: &str) -> bool {
    piece(text, anchor).is_some()
}

/// The same with `put` in place of the piece, whatever it is.
pub fn with_answer(text: &str, anchor: &str, put: &str) -> Option<String> {
    let piece = piece(text, anchor)?;
    Some([&text[..piece.start], put, &text[piece.end..]].concat())
}

/// The same with the piece taken out, and the hole's own text in its place, as far indented.
pub fn with_hole(text: &str, hole: &Hole) -> Option<String> {
    let taken = &text[piece(text, &hole.anchor)?];
    with_answer(text, &hole.anchor, &indented(taken, &hole.put))
}

/// A text without anchors, with `put` in place of the piece that the chapter's text has; `None` if
/// the piece is not in it exactly once.
pub fn with_piece_replaced(text: &str, chapter: &str, hole: &Hole, put: &str) -> Option<String> {
    let taken = without_anchors(piece_of(chapter, &hole.anchor)?);
    (text.matches(&taken).count() == 1).then(|| text.replacen(&taken, put, 1))
}

/// The lines of `put`, as far indented as the first line of `like`.
pub fn indented(like: &str, put: &str) -> String {
    let first = like.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let indent = &first[..first.len() - first.trim_start().len()];
    put.lines().map(|line| format!("{indent}{line}\n")).collect()
}

/// One file's part of a patch.
#[derive(Debug, PartialEq, Eq)]
pub struct FilePatch {
    /// The file, such as `src/lib.rs`.
    pub file: String,
    /// Pairs of text, before and after.
    hunks: Vec<(String, String)>,
}

/// Reads a unified diff, as `diff -u a/src/lib.rs b/src/lib.rs` writes it. Line numbers do
/// not count, the context does.
///
/// # Errors
///
/// A line that is not one of a unified diff.
pub fn read_patch(text: &str) -> anyhow::Result<Vec<FilePatch>> {
    let mut files: Vec<FilePatch> = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    // Elsewhere such a line is one of the file: it begins with `-- ` or `++ `.
    let begins = |at: usize, word: &str| lines.get(at).is_some_and(|line| line.starts_with(word));
    let is_head = |at: usize| begins(at, "--- ") && begins(at + 1, "+++ ") && begins(at + 2, "@@");
    for (at, line) in lines.iter().enumerate() {
        if let Some(name) = line.strip_prefix("+++ ")
            && (files.is_empty() || is_head(at.saturating_sub(1)))
        {
            let name = name.split('\t').next().unwrap_or(name);
            files.push(FilePatch {
                file: name.strip_prefix("b/").unwrap_or(name).into(),
                hunks: Vec::new(),
            });
            continue;
        }
        let Some(file) = files.last_mut() else {
            continue;
        };
        if line.starts_with("@@") {
            file.hunks.push(Default::default());
            continue;
        }
        if is_head(at) || line.starts_with("diff ") {
            continue;
        }
        let (before, after) = file.hunks.last_mut().context("a line before the first @@")?;
        let (sign, rest) = line.split_at_checked(1).unwrap_or((" ", ""));
        ensure!([" ", "-", "+"].contains(&sign), "not a line of a unified diff: {line:?}");
        for (side, other) in [(before, "+"), (after, "-")] {
            if sign != other {
                *side += rest;
                side.push('\n');
            }
        }
    }
    ensure!(!files.is_empty(), "no `+++ FILE` in it");
    Ok(files)
}

impl FilePatch {
    /// The file's text after it.
    ///
    /// # Errors
    ///
    /// The text before a change is not there, or more than once.
    pub fn apply(&self, text: &str) -> anyhow::Result<String> {
        let mut text = text.to_owned();
        for (before, after) in &self.hunks {
            let places = text.matches(before.as_str()).count();
            ensure!(
                places == 1,
                "{}: {places} places, not one, have the lines\n{before}",
                self.file
            );
            text = text.replacen(before.as_str(), after, 1);
        }
        Ok(text)
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "fn f() {\n    // ANCHOR: a\n    one();\n    // ANCHOR: b\n    two();\n    \
                        // ANCHOR_END: b\n    // ANCHOR_END: a\n}\n";

    fn hole(anchor: &str) -> Hole {
        Hole {
            anchor: anchor.into(),
            put: "todo!(\"it\")".into(),
        }
    }

    #[test]
    fn a_hole_takes_the_place_of_a_piece() {
        let with = without_anchors(&with_hole(TEXT, &hole("a")).unwrap());
        assert_eq!(with, "fn f() {\n    todo!(\"it\")\n}\n");
        let with = without_anchors(&with_hole(TEXT, &hole("b")).unwrap());
        assert_eq!(with, "fn f() {\n    one();\n    todo!(\"it\")\n}\n");
        assert!(with_hole(TEXT, &hole("c")).is_none());
    }

    #[test]
    fn a_piece_is_found_by_its_text_too() {
        let learners = "fn f() {\n    uno();\n    two();\n}\n";
        let with = with_piece_replaced(learners, TEXT, &hole("b"), "    three();\n").unwrap();
        assert_eq!(with, "fn f() {\n    uno();\n    three();\n}\n");
        assert!(with_piece_replaced(learners, TEXT, &hole("a"), "").is_none());
    }

    #[test]
    fn a_patch_is_applied_by_its_context() {
        let patch = "--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1,3 +1,3 @@\n x\n-y\n+Y\n z\n";
        let patch = &read_patch(patch).unwrap()[0];
        assert_eq!(patch.file, "src/lib.rs");
        assert_eq!(patch.apply("w\nx\ny\nz\n").unwrap(), "w\nx\nY\nz\n");
        assert!(patch.apply("x\nz\n").is_err());
        // Lines of a text, and no new file.
        let text = "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n--- b\n+++ c\n d\n";
        let [patch] = &read_patch(text).unwrap()[..] else {
            panic!("one file")
        };
        assert_eq!(patch.apply("a\n-- b\nd\n").unwrap(), "a\n++ c\nd\n");
        assert!(patch.apply("x\ny\nz\nx\ny\nz\n").is_err());
    }
}
