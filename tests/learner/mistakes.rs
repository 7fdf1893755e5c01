//! The presenter's page of mistakes.

use std::{collections::VecDeque, fs, path::Path};

use anyhow::{Context, bail, ensure};
use judge::{
    chapters::CHAPTERS,
    workshop::{Workshop, answers::Wrong, exercise::Exercise},
};

use crate::workshop;

/// Each exercise, in the book's order, has two mistakes and one question. A mistake is a known
/// wrong answer, on which the check of the exercise fails in the way that the page names.
pub fn are_known() -> anyhow::Result<()> {
    let workshop = workshop(Path::new("/"))?;
    let page = fs::read_to_string(workshop.root.join("book/src/mistakes.md"))
        .context("the page of mistakes")?;
    let mut sections: VecDeque<&str> = page.split("\n### ").skip(1).collect();
    for chapter in &CHAPTERS {
        let exercises = workshop.exercises(chapter)?;
        let heading = format!(
            "## {}\n\n<details class=\"room\"><summary>{} exercises</summary>\n\n### ",
            chapter.name,
            exercises.len()
        );
        ensure!(page.contains(&heading), "the page has no\n{heading}");
        for exercise in exercises {
            let section = sections.pop_front().context("the page ends too early");
            section
                .and_then(|section| is_right(&workshop, &exercise, section))
                .with_context(|| format!("{}, {}", exercise.chapter, exercise.title))?;
        }
    }
    ensure!(sections.is_empty(), "the page has an exercise too many: {sections:?}");
    Ok(())
}

fn is_right(workshop: &Workshop, exercise: &Exercise, section: &str) -> anyhow::Result<()> {
    let (title, text) = section.split_once('\n').context("no text")?;
    ensure!(title == exercise.title, "here the page has {title:?}");
    let known = workshop.wrong_answers(exercise)?;
    let mistakes: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("- ")).collect();
    let [first, second] = mistakes[..] else {
        bail!("{} mistakes, and not two", mistakes.len())
    };
    ensure!(named(first, &known)? != named(second, &known)?, "the same mistake twice");
    let questions: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("**Ask:** ")).collect();
    ensure!(
        matches!(questions[..], [one] if one.ends_with('?') && one.matches('?').count() == 1),
        "not one question: {questions:?}"
    );
    Ok(())
}

/// The wrong answer that a mistake names in its last words, with how and as whom it shows.
fn named<'a>(mistake: &str, known: &'a [Wrong]) -> anyhow::Result<&'a str> {
    let of = |wrong: &&Wrong| mistake.ends_with(&format!(" ({})", mark(wrong)));
    let wrong = known.iter().find(of);
    let marks = || known.iter().map(mark).collect::<Vec<_>>().join(", ");
    Ok(&wrong
        .with_context(|| format!("{mistake:?} ends with none of: {}", marks()))?
        .name)
}

fn mark(wrong: &Wrong) -> String {
    let mut mark = format!("`{}`", wrong.name);
    if let [user] = &wrong.shows[..] {
        mark += &format!(", as {user}");
    }
    if wrong.verdict != "FAILS" {
        mark += &format!(", {}", wrong.verdict);
    }
    mark
}
