//! What happens on `progress`, and what comes next?

use super::{
    Workshop,
    exercise::Exercise,
    shown::{bar, painted},
    state::{Stand, State},
};
use crate::chapters::{CHAPTERS, Chapter};

/// Prints where the learner stands: in all chapters, and in the exercises of the one at hand.
///
/// # Errors
///
/// An exercise or the state file cannot be read.
pub fn progress(workshop: &Workshop) -> anyhow::Result<()> {
    let state = State::read(&workshop.folder)?;
    let at_hand = next_chapter(workshop, &state)?.map(|chapter| chapter.name);
    let (mut lines, mut done, mut of) = (Vec::new(), 0, 0);
    for chapter in &CHAPTERS {
        let exercises = workshop.exercises(chapter)?;
        let of_chapter = exercises.iter().filter(|exercise| state.is_done(exercise)).count();
        (done, of) = (done + of_chapter, of + exercises.len());
        let name = format!("{:<17} {of_chapter}/{}", chapter.name, exercises.len());
        let is_done = of_chapter == exercises.len();
        lines.push(format!("{} {name}", mark(if is_done { "done" } else { "" })));
        if at_hand == Some(chapter.name) {
            lines.extend(exercises.iter().map(|exercise| line(exercise, &state)));
        }
    }
    println!("{} done\n\n{}\n", bar(done, of), lines.join("\n"));
    println!("{}", what_comes(workshop, &state)?);
    Ok(())
}

/// A word in its column.
fn mark(word: &str) -> String {
    match word {
        "" => " ".repeat(4),
        word => painted(word),
    }
}

fn line(exercise: &Exercise, state: &State) -> String {
    let stand = match state.of(exercise).map(|entry| entry.stand) {
        Some(Stand::Done) => "done",
        Some(Stand::Open) => "open",
        None => "",
    };
    let kind = if exercise.is_further() {
        ", further"
    } else {
        ""
    };
    let Exercise {
        number,
        title,
        minutes,
        ..
    } = exercise;
    format!("       {} {number}. {title} ({minutes} minutes{kind})", mark(stand))
}

/// What to type next: from the chapter that was worked on last, round the tower.
fn what_comes(workshop: &Workshop, state: &State) -> anyhow::Result<String> {
    if let Some(open) = state.latest(None).filter(|entry| entry.stand == Stand::Open) {
        return Ok(format!("Next: make check CH={}", &open.chapter[..2]));
    }
    Ok(match next_chapter(workshop, state)? {
        Some(chapter) => format!("Next: make start CH={}", &chapter.name[..2]),
        None => "All done.".into(),
    })
}

/// The chapter with the next exercise that is not done: the one that was worked on last, or one
/// after it, round the tower.
///
/// # Errors
///
/// An exercise cannot be read.
pub fn next_chapter(
    workshop: &Workshop,
    state: &State,
) -> anyhow::Result<Option<&'static Chapter>> {
    let latest = state.latest(None);
    let here =
        latest.and_then(|entry| CHAPTERS.iter().position(|chapter| chapter.name == entry.chapter));
    for chapter in CHAPTERS.iter().cycle().skip(here.unwrap_or_default()).take(CHAPTERS.len()) {
        if workshop.exercises(chapter)?.iter().any(|exercise| !state.is_done(exercise)) {
            return Ok(Some(chapter));
        }
    }
    Ok(None)
}
