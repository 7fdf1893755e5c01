//! What happens on `start` and `progress`?

use std::{
    error::Error,
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use textwrap::{Options, WordSplitter::NoHyphenation};

use super::{
    Workshop, chapter,
    crates::{learners, read_files, write_files},
    exercise::Exercise,
    marking::todos,
    source,
    state::{Stand, State},
};
use crate::chapters::CHAPTERS;

/// The error of a learner who is not there yet: everything has been said already.
#[derive(Debug)]
pub struct NotYet;

impl fmt::Display for NotYet {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("not yet")
    }
}

impl Error for NotYet {}

/// Starts an exercise of a chapter (without a word, of the one that was started last): the
/// one with this number, or the next that is not done.
///
/// # Errors
///
/// There is no such exercise; or there is work in the folder that would be lost, and
/// `force` was not given.
pub fn start(
    workshop: Workshop,
    word: Option<&str>,
    number: Option<usize>,
    force: bool,
) -> anyhow::Result<()> {
    let mut state = State::read(&workshop.folder)?;
    let latest = || state.latest(None).map(|entry| entry.chapter.as_str());
    let word = word
        .or_else(latest)
        .context("which chapter? Begin with make start CH=01, or with any other")?;
    let chapter = chapter(word)?;
    let exercises = workshop.exercises(chapter)?;
    let (folder, short) = (workshop.crate_folder(chapter.name), &chapter.name[..2]);
    let exercise = match number {
        Some(number) => exercises.iter().find(|exercise| exercise.number == number),
        None => exercises.iter().find(|exercise| !state.is_done(exercise)).or(exercises.first()),
    };
    let exercise = exercise.with_context(|| match number {
        Some(number) => {
            format!("{} has {} exercises, and no number {number}", chapter.name, exercises.len())
        }
        None => format!("{} has no exercises yet", chapter.name),
    })?;
    if !folder.exists() {
        return hand_out(&workshop, &mut state, exercise.clone(), exercises.len());
    }
    if force {
        println!("Your work is in {} now.", workshop.shown(&keep(&folder)?));
        return hand_out(&workshop, &mut state, exercise.clone(), exercises.len());
    }
    let open = state.latest(Some(chapter.name)).filter(|entry| entry.stand == Stand::Open);
    let afresh = format!("make start CH={short} EX={} FORCE=1", exercise.number);
    if let Some(open) = open {
        let title = exercises
            .iter()
            .find(|exercise| exercise.slug == open.slug)
            .map_or(&open.slug, |open| &open.title);
        bail!(
            "{} is there, with {title:?} open: make check CH={short}. \
             To begin exercise {} afresh (what is there is kept as a backup): {afresh}",
            workshop.shown(&folder),
            exercise.number
        );
    }
    if exercises.iter().all(|exercise| state.is_done(exercise)) && number.is_none() {
        let next = CHAPTERS.iter().find(|next| next.number() == chapter.number() + 1);
        let next = next
            .map_or_else(String::new, |next| format!(" Next: make start CH={}.", &next.name[..2]));
        bail!(
            "all exercises of {} are done.{next} To begin afresh (yours is kept as a backup): \
             {afresh}",
            chapter.name
        );
    }
    go_on(&workshop, &folder, exercise)
        .with_context(|| format!("to begin exercise {} afresh: {afresh}", exercise.number))?;
    tell(&workshop, &mut state, exercise, exercises.len())
}

/// Takes the pieces of the next exercise out of the learner's own crate.
fn go_on(workshop: &Workshop, folder: &Path, exercise: &Exercise) -> anyhow::Result<()> {
    let chapter = workshop.chapter_source(exercise.chapter)?;
    let mut files = learners(folder, &chapter)?;
    for hole in &exercise.holes {
        let (file, text) = chapter
            .iter()
            .find(|(_, text)| source::has_anchor(text, &hole.anchor))
            .with_context(|| format!("no anchor {}", hole.anchor))?;
        let learners = files.get(file).context("the learner's crate has the chapter's files")?;
        let with = source::with_hole_in(learners, text, hole)
            .with_context(|| folder.join(file).display().to_string())?;
        files.insert(file.clone(), with);
    }
    write_files(&files, folder)
}

/// Makes the learner's crate new.
pub(super) fn hand_out(
    workshop: &Workshop,
    state: &mut State,
    exercise: Exercise,
    of: usize,
) -> anyhow::Result<()> {
    let files = workshop.handed_out(&exercise)?;
    workshop.write_crate(exercise.chapter, &files, &workshop.crate_folder(exercise.chapter))?;
    tell(workshop, state, &exercise, of)
}

fn tell(
    workshop: &Workshop,
    state: &mut State,
    exercise: &Exercise,
    of: usize,
) -> anyhow::Result<()> {
    let hints = state.of(exercise).map_or(0, |entry| entry.hints);
    state.change(exercise, Stand::Open, hints)?;
    let (number, name) = (&exercise.chapter[..2], exercise.chapter);
    let (minutes, folder) = (exercise.minutes, workshop.crate_folder(name));
    println!(
        "{name}, exercise {} of {of}: {} ({minutes} minutes)\n\n{}\n",
        exercise.number,
        exercise.title,
        wrapped(&exercise.task)
    );
    for (file, line, _) in todos(&read_files(&folder, "src")?) {
        println!("edit  {}:{line}", workshop.shown(&folder.join(file)));
    }
    if exercise.is_further() {
        println!(
            "edit  {}: nothing is taken out; the option is yours to add",
            workshop.shown(&folder.join("src"))
        );
    }
    println!("run   cd {} && cargo run", workshop.shown(&folder));
    println!("read  chapters/{name}/exercises/{}.md\n", exercise.file_stem());
    println!("The check fails now, as it should. When you have written it: make check CH={number}");
    Ok(())
}

/// Renames a learner's folder to one that nobody overwrites.
pub(super) fn keep(folder: &Path) -> anyhow::Result<PathBuf> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let backup = (1..).map(|number| folder.with_file_name(format!("{name}.backup-{number}")));
    let backup = backup
        .into_iter()
        .find(|path| !path.exists())
        .context("a name for the backup")?;
    fs::rename(folder, &backup).with_context(|| format!("rename {}", folder.display()))?;
    Ok(backup)
}

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
    let latest = state.latest(None);
    if let Some(open) = latest.filter(|entry| entry.stand == Stand::Open) {
        return Ok(format!("Next: make check CH={}", &open.chapter[..2]));
    }
    let here =
        latest.and_then(|entry| CHAPTERS.iter().position(|chapter| chapter.name == entry.chapter));
    for chapter in CHAPTERS.iter().cycle().skip(here.unwrap_or_default()).take(CHAPTERS.len()) {
        if workshop.exercises(chapter)?.iter().any(|exercise| !state.is_done(exercise)) {
            return Ok(format!("Next: make start CH={}", &chapter.name[..2]));
        }
    }
    Ok("All done.".into())
}

/// Prose for a terminal: lines of 90 characters at the most, broken between words.
pub fn wrapped(text: &str) -> String {
    let options = Options::new(90).break_words(false).word_splitter(NoHyphenation);
    textwrap::fill(text.trim_end(), options)
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn prose_is_broken_between_words() {
        let text = format!("{} end\n\nnext", "word ".repeat(18).trim());
        assert_eq!(wrapped(&text), format!("{}\nend\n\nnext", "word ".repeat(18).trim()));
        assert_eq!(wrapped(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(wrapped(&format!("{} 07-cgroup-memory", "x".repeat(80))).lines().count(), 2);
        assert_eq!(wrapped("- one\n  - two\n"), "- one\n  - two");
    }
}
