//! What happens on `progress`, and what comes next?

use super::{
    Workshop,
    state::{Stand, State},
};
use crate::chapters::{CHAPTERS, Chapter};

/// Prints where the learner stands in all chapters.
///
/// # Errors
///
/// An exercise or the state file cannot be read.
pub fn progress(workshop: &Workshop) -> anyhow::Result<()> {
    let state = State::read(&workshop.folder)?;
    for chapter in &CHAPTERS {
        println!("{}", chapter.name);
        for exercise in workshop.exercises(chapter)? {
            let stand = match state.of(&exercise).map(|entry| entry.stand) {
                Some(Stand::Done) => "done",
                Some(Stand::Open) => "open",
                None => "",
            };
            let kind = if exercise.is_further() {
                ", further"
            } else {
                ""
            };
            println!(
                "  {:<5}{}. {} ({} minutes{kind})",
                stand, exercise.number, exercise.title, exercise.minutes
            );
        }
    }
    println!("{}", what_comes(workshop, &state)?);
    Ok(())
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
