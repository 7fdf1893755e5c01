//! What happens on `start`?

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use super::{
    Workshop, chapter,
    crates::{Files, anchored, learners, read_files, write_files},
    exercise::Exercise,
    given,
    marking::todos,
    progress::next_chapter,
    prose::wrapped,
    source,
    state::{Stand, State},
    tutor,
};
use crate::chapters::{CHAPTERS, Chapter};

/// In the learner's crate: its sources as the exercise was handed out.
pub(super) const HANDED_OUT: &str = ".handed-out";

/// Starts an exercise of a chapter: the one with this number, or the next that is not done.
/// Without a word and a number it shows the exercise that is open, or goes on with the next one,
/// in the next chapter if need be.
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
    let Some(chapter) = chapter_meant(&workshop, &state, word, number)? else {
        println!("All exercises are done. To begin one afresh: make start CH=01 EX=1 FORCE=1");
        return Ok(());
    };
    let exercises = workshop.exercises(chapter)?;
    let exercise = exercise_meant(chapter, &exercises, &state, number)?;
    let (folder, of) = (workshop.crate_folder(chapter.name), exercises.len());
    let agents = tutor::changed(&folder)?;
    if force && folder.exists() {
        println!("Your work is in {} now.", workshop.shown(&keep(&folder)?));
    }
    if !folder.exists() {
        let files = workshop.handed_out(exercise)?;
        return hand_out(&workshop, &mut state, exercise, of, &files, agents);
    }
    let afresh = format!("make start CH={} EX={} FORCE=1", &chapter.name[..2], exercise.number);
    if let Some(open) = open(&state, chapter, &exercises)? {
        if word.is_none() && number.is_none() {
            println!("This one is open.\n");
            return tell(&workshop, open, of);
        }
        bail!(
            "{} is there, with {:?} open: make check CH={}. \
             To begin exercise {} afresh (what is there is kept as a backup): {afresh}",
            workshop.shown(&folder),
            open.title,
            &chapter.name[..2],
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
    go_on(&workshop, &folder, exercise, &afresh)?;
    begin(&workshop, &mut state, exercise, of)
}

/// The chapter of this word. Without one: the one that was worked on last, if an exercise of it is
/// open or is asked for by its number; else the one with the next exercise, if there is one.
fn chapter_meant(
    workshop: &Workshop,
    state: &State,
    word: Option<&str>,
    number: Option<usize>,
) -> anyhow::Result<Option<&'static Chapter>> {
    let latest = state
        .latest(None)
        .filter(|entry| entry.stand == Stand::Open || number.is_some());
    match word.or(latest.map(|entry| entry.chapter.as_str())) {
        Some(word) => chapter(word).map(Some),
        None => next_chapter(workshop, state),
    }
}

fn exercise_meant<'a>(
    chapter: &Chapter,
    exercises: &'a [Exercise],
    state: &State,
    number: Option<usize>,
) -> anyhow::Result<&'a Exercise> {
    let meant = match number {
        Some(number) => exercises.iter().find(|exercise| exercise.number == number),
        None => exercises.iter().find(|exercise| !state.is_done(exercise)).or(exercises.first()),
    };
    meant.with_context(|| match number {
        Some(number) => {
            format!("{} has {} exercises, and no number {number}", chapter.name, exercises.len())
        }
        None => format!("{} has no exercises yet", chapter.name),
    })
}

/// The chapter's exercise that is open, if the last one of it is.
fn open<'a>(
    state: &State,
    chapter: &Chapter,
    exercises: &'a [Exercise],
) -> anyhow::Result<Option<&'a Exercise>> {
    let open = state.latest(Some(chapter.name)).filter(|entry| entry.stand == Stand::Open);
    let Some(open) = open else { return Ok(None) };
    let found = exercises.iter().find(|exercise| exercise.slug == open.slug);
    found
        .map(Some)
        .with_context(|| format!("{} has no exercise {:?} any more", chapter.name, open.slug))
}

/// Takes the pieces of the next exercise out of the learner's own crate.
fn go_on(
    workshop: &Workshop,
    folder: &Path,
    exercise: &Exercise,
    afresh: &str,
) -> anyhow::Result<()> {
    let chapter = workshop.chapter_source(exercise.chapter)?;
    let mut files = learners(folder, &chapter)?;
    for hole in &exercise.holes {
        let file = anchored(&chapter, hole)?;
        let learners = &files[&file];
        let opened = given::opened(learners, hole).or_else(|| {
            // The piece was not given in a file, because it is a part of a statement.
            let piece = source::piece_of(&chapter[&file], &hole.anchor)?;
            let put = source::indented(piece, &hole.put);
            source::with_piece_replaced(learners, &chapter[&file], hole, &put)
        });
        let opened = opened.with_context(|| {
            format!(
                "you have written exercise {} already: {} has no line that includes {}. To begin \
                 afresh (what is there is kept as a backup): {afresh}",
                exercise.number,
                workshop.shown(&folder.join(&file)),
                given::path(hole)
            )
        })?;
        files.insert(file, opened);
    }
    write_files(&files, folder)?;
    for hole in &exercise.holes {
        remove(&folder.join(given::path(hole)))?;
    }
    Ok(())
}

/// Makes the learner's crate new, with these sources, and the learner's own `AGENTS.md`.
pub(super) fn hand_out(
    workshop: &Workshop,
    state: &mut State,
    exercise: &Exercise,
    of: usize,
    files: &Files,
    agents: Option<String>,
) -> anyhow::Result<()> {
    let folder = workshop.crate_folder(exercise.chapter);
    workshop.write_crate(exercise.chapter, files, &folder)?;
    write_files(
        &agents.map(|text| (tutor::AGENTS.to_owned(), text)).into_iter().collect(),
        &folder,
    )?;
    begin(workshop, state, exercise, of)
}

/// What a learner's crate had when its exercise was handed out, if that is known: with the
/// learner's own answers to earlier ones.
pub(super) fn as_handed_out(folder: &Path) -> anyhow::Result<Option<Files>> {
    let folder = folder.join(HANDED_OUT);
    folder.exists().then(|| sources(&folder)).transpose()
}

fn sources(folder: &Path) -> anyhow::Result<Files> {
    let mut files = read_files(folder, "src")?;
    if folder.join("given").exists() {
        files.extend(read_files(folder, "given")?);
    }
    Ok(files)
}

/// Notes that the exercise is open, and what was handed out; and tells of it.
fn begin(
    workshop: &Workshop,
    state: &mut State,
    exercise: &Exercise,
    of: usize,
) -> anyhow::Result<()> {
    let folder = workshop.crate_folder(exercise.chapter);
    let kept = folder.join(HANDED_OUT);
    let own = tutor::changed(&folder)?;
    remove(&kept)?;
    let sources = sources(&folder)?;
    write_files(&sources, &kept)?;
    let agents = tutor::agents(workshop, exercise, &folder, &sources);
    write_files(&Files::from([(tutor::AGENTS.to_owned(), agents.clone())]), &kept)?;
    let agents = own.map_or(agents.clone(), |own| tutor::renewed(own, &agents));
    let page = format!(
        "{}\n\nThree hints, one at a time: `make hint CH={}`\n",
        exercise.page,
        &exercise.chapter[..2]
    );
    let files = [("TASK.md".to_owned(), page), (tutor::AGENTS.to_owned(), agents)];
    write_files(&Files::from(files), &folder)?;
    let hints = state.of(exercise).map_or(0, |entry| entry.hints);
    state.change(exercise, Stand::Open, hints)?;
    tell(workshop, exercise, of)
}

/// Removes a file or a folder, if it is there.
fn remove(path: &Path) -> anyhow::Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other.with_context(|| format!("remove {}", path.display())),
    }
}

fn tell(workshop: &Workshop, exercise: &Exercise, of: usize) -> anyhow::Result<()> {
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
            "edit  {}: nothing is taken out; what the task asks for is yours to add",
            workshop.shown(&folder.join("src"))
        );
    }
    println!("run   cd {} && cargo run", workshop.shown(&folder));
    println!("read  {}\n", workshop.shown(&folder.join("TASK.md")));
    println!("Until you have written it, the check fails: make check CH={number}");
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
