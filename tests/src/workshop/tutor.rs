//! What does a coding assistant get to read that is opened in the learner's folder?
//!
//! `AGENTS.md`, the file that assistants look for. It makes a tutor of them, and tells which files
//! have the answers. It is the learner's, as the sources are: what the learner changes in it stays,
//! but for the part about the exercise at hand, between two comments.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::Context;

use super::{Workshop, crates::Files, exercise::Exercise, marking::todos, start::HANDED_OUT};
use crate::chapters::CHAPTERS;

/// The file's name.
pub const AGENTS: &str = "AGENTS.md";

/// What is around the part about the exercise at hand.
const MARKS: [&str; 2] = ["<!-- `make start` writes this part -->\n", "<!-- up to here -->\n"];

/// The file for the learner who has this exercise in `folder`; `sources` are the learner's.
pub fn agents(workshop: &Workshop, exercise: &Exercise, folder: &Path, sources: &Files) -> String {
    let way = |path: &str| workshop.way_from(folder, path);
    let given = folder.join("given").exists();
    format!(
        include_str!("tutor.md"),
        up = way("").trim_end_matches('/'),
        number = &exercise.chapter[..2],
        exercise = [MARKS[0], &about(exercise, sources), MARKS[1]].concat(),
        closed = closed(exercise.chapter, given, way),
        open = open(exercise.chapter, way),
    )
}

/// The file that is in `folder`, if it is another than the one that was handed out.
///
/// # Errors
///
/// It cannot be read as text.
pub fn changed(folder: &Path) -> anyhow::Result<Option<String>> {
    let there = read(&folder.join(AGENTS))?;
    let handed_out = read(&folder.join(HANDED_OUT).join(AGENTS))?;
    Ok(there.filter(|there| handed_out.as_ref() != Some(there)))
}

fn read(path: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map(Some).with_context(|| format!("read {}", path.display())),
    }
}

/// The learner's text, with the part about the exercise from the new one. Without the marks all of
/// it is the learner's.
pub fn renewed(own: String, new: &str) -> String {
    match (parts(&own), parts(new)) {
        (Some((head, _, tail)), Some((_, part, _))) => {
            [head, MARKS[0], part, MARKS[1], tail].concat()
        }
        _ => own,
    }
}

fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let (head, rest) = text.split_once(MARKS[0])?;
    let (part, tail) = rest.split_once(MARKS[1])?;
    Some((head, part, tail))
}

fn about(exercise: &Exercise, sources: &Files) -> String {
    let mut text = format!(
        "## The exercise\n\n*{}*: chapter {}, exercise {}, for about {} minutes.\n\n",
        exercise.title, exercise.chapter, exercise.number, exercise.minutes
    );
    for (file, _, line) in todos(sources) {
        text += &format!("- to write, in `{file}`: {}\n", code(&line));
    }
    if exercise.is_further() {
        text += "- to write, in `src`: an option. Nothing is taken out, and nothing is marked\n";
    }
    let pages = links(exercise);
    if !pages.is_empty() {
        text += &format!("- where to read, if the learner asks: {}\n", pages.join(", "));
    }
    text
}

/// A line as code in Markdown; it can have code itself, in what its `todo!` says.
fn code(line: &str) -> String {
    match line.contains('`') {
        true => format!("`` {line} ``"),
        false => format!("`{line}`"),
    }
}

/// What the task and its hints lead to, each once: manual pages, and documents of the kernel.
fn links(exercise: &Exercise) -> Vec<&str> {
    let mut found = Vec::new();
    for text in std::iter::once(&exercise.page).chain(&exercise.hints) {
        for (middle, _) in text.match_indices("](http") {
            let from = text[..middle].rfind('[').unwrap_or(middle);
            let to = text[middle..].find(')').map_or(text.len(), |end| middle + end + 1);
            if !found.contains(&&text[from..to]) {
                found.push(&text[from..to]);
            }
        }
    }
    found
}

/// What has the answers. `main.rs` of a later chapter has the lines of this one's, and the checks'
/// sources do what a stage does.
fn closed(chapter: &str, given: bool, way: impl Fn(&str) -> String) -> String {
    let mut lines = vec![
        format!("- `{}`, and every later chapter beside it", way(&format!("chapters/{chapter}"))),
        format!(
            "- each `exercises` folder in `{}`: the solutions and the hints",
            way("chapters")
        ),
        format!(
            "- `{}` from \"One way to write it\" on, the pages of later chapters, and `{}`",
            way(&format!("book/src/{chapter}.md")),
            way("book/src/diffs")
        ),
        format!("- `{}`: what the checks do, and more", way("tests")),
    ];
    if given {
        lines.push(
            "- `given`, also in `.handed-out`: what other exercises of this chapter take out"
                .to_owned(),
        );
    }
    lines.join("\n")
}

fn open(chapter: &str, way: impl Fn(&str) -> String) -> String {
    let before = CHAPTERS.iter().map(|known| known.name).take_while(|name| *name != chapter);
    let sources: Vec<String> = std::iter::once("00-lab")
        .chain(before)
        .map(|name| format!("`{}`", way(&format!("chapters/{name}/src"))))
        .collect();
    let page = way(&format!("book/src/{chapter}.md"));
    [
        "- `TASK.md`, `Cargo.toml` and `src` in this folder".to_owned(),
        format!("- what is below: {}", sources.join(", ")),
        format!("- this chapter's page up to the task: `sed '/^## One way/q' {page}`"),
        format!(
            "- the pages of earlier chapters beside it, and `{}`",
            way("book/src/glossary.md")
        ),
    ]
    .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_learner_wrote_stays_around_the_part() {
        let text = |part: &str| ["mine\n", MARKS[0], part, MARKS[1], "and mine\n"].concat();
        let new = ["not mine\n", MARKS[0], "new\n", MARKS[1]].concat();
        assert_eq!(renewed(text("old\n"), &new), text("new\n"));
        for own in ["mine\n".to_owned(), ["mine\n", MARKS[0], "old\n"].concat()] {
            assert_eq!(renewed(own.clone(), &new), own);
        }
    }
}
