//! How long does a workshop take? Summed from the exercises' own minutes.

use anyhow::ensure;

use super::{Workshop, exercise::Exercise};
use crate::chapters::CHAPTERS;

/// What is said at the board before each chapter, in minutes.
const TALK: u32 = 10;

/// The workshops that are proposed: a name, and the last chapter of each.
const WORKSHOPS: [(&str, u8); 3] =
    [("half a day", 4), ("a day", 7), ("two days, or an evening a week", 13)];

/// The timetable, as the Markdown tables of the presenter's page.
///
/// # Errors
///
/// An exercise cannot be read.
pub fn markdown(workshop: &Workshop) -> anyhow::Result<String> {
    let mut text = String::from(
        "| chapter | talk | exercises | minutes | further, for the fast | minutes |\n",
    );
    text += "|---|---:|---|---:|---|---:|\n";
    let mut minutes_until = Vec::new();
    let mut sum = 0;
    for chapter in &CHAPTERS {
        let exercises = workshop.exercises(chapter)?;
        let (further, own): (Vec<&Exercise>, Vec<&Exercise>) =
            exercises.iter().partition(|one| one.is_further());
        let minutes =
            |some: &[&Exercise]| some.iter().map(|exercise| exercise.minutes).sum::<u32>();
        let titles = |some: &[&Exercise]| {
            let titles: Vec<String> =
                some.iter().map(|one| format!("{} ({})", one.title, one.minutes)).collect();
            titles.join("; ")
        };
        sum += TALK + minutes(&own);
        minutes_until.push((chapter.number(), sum));
        let cells = [
            titles(&own),
            minutes(&own).to_string(),
            titles(&further),
            minutes(&further).to_string(),
        ];
        text += &format!("| {} | {TALK} | {} |\n", chapter.name, cells.join(" | "));
    }
    text += "\n| workshop | chapters | talk and exercises |\n|---|---|---:|\n";
    for (name, last) in WORKSHOPS {
        let found = minutes_until.iter().find(|(chapter, _)| *chapter == last);
        ensure!(
            found.is_some(),
            "the workshop of {name} ends with chapter {last}, and there is none"
        );
        let minutes = found.map_or(0, |(_, minutes)| *minutes);
        text += &format!("| {name} | 1 to {last} | {} h {:02} min |\n", minutes / 60, minutes % 60);
    }
    Ok(text)
}
