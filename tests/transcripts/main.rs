//! The book's transcripts: a reader types the commands of each page, from top to bottom and then
//! once more, and must see what the page shows.
//!
//! Started as root, the readers are root and an ordinary user; started by an ordinary user,
//! the half that needs root is left out. `SNAPSHOTS=overwrite` rewrites the files whose
//! output has changed by more than names, and the differences between the mains (`make
//! transcripts`). Build the stages first.

mod diffs;
#[allow(dead_code)] // each test uses a part of it
#[path = "../harness.rs"]
mod harness;
mod page;
mod place;
mod reader;
mod reading;
mod recording;
mod records;
mod renaming;
mod self_tests;
mod surroundings;
mod transcript;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use judge::{
    Bench, Outcome, User, cgroups,
    diagnosis::{self, Diagnosis, Verdict},
};
use libtest_mimic::Trial;
use nix::unistd::geteuid;

use crate::{
    harness::{trial, trial_or_skip},
    page::{Page, files_in},
    place::Place,
    reading::Reading,
    surroundings::Surroundings,
    transcript::Transcript,
};

fn main() {
    harness::run("transcripts", 1, || {
        let surroundings = surroundings::enter()?;
        let trials = trials(&surroundings)?;
        Ok((|| surroundings.close(), trials))
    })
}

fn trials(surroundings: &Surroundings) -> anyhow::Result<Vec<Trial>> {
    let Surroundings {
        place, workspace, ..
    } = surroundings;
    let book = workspace.join("book");
    if reading::is_refresh() {
        diffs::refresh(workspace)?;
    }
    let mut transcripts = Vec::new();
    files_in(&book.join("src/transcripts"), "console", &mut transcripts)?;
    if !geteuid().is_root() {
        println!("not root: the transcripts that root runs are left out");
    }
    let mut trials = self_tests::trials(surroundings);
    trials.extend(words::trials(workspace));
    trials.extend(diffs::trials(workspace));
    trials.extend(trials_of_pages(workspace, &transcripts)?);
    let with_diagnosis = |user: &User| Ok((*user, diagnosis_of(*user, place)?));
    // The ordinary user first: a refresh writes what that one sees.
    let users: Vec<_> =
        User::all().iter().rev().map(with_diagnosis).collect::<anyhow::Result<_>>()?;
    for page in Page::all(&book)? {
        for (user, diagnosis) in &users {
            trials.extend(trials_of_readings(&page, *user, diagnosis, place)?);
        }
    }
    for (_, diagnosis) in users.iter().filter(|(user, _)| *user == User::Ordinary) {
        trials.extend(recording::trials(workspace, place, diagnosis));
    }
    Ok(trials)
}

fn trials_of_pages(workspace: &Path, transcripts: &[PathBuf]) -> anyhow::Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for page in Page::all(&workspace.join("book"))? {
        let name = page.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (root, chapter) = (
            workspace.to_owned(),
            workspace.join("chapters").join(name.trim_end_matches(".md")),
        );
        trials.push(trial(format!("{name}: nothing is pasted"), move || {
            page.shows_nothing_pasted(&root)
        }));
        if chapter.join("exercises").is_dir() {
            let (file, chapter) = (workspace.join("book/src").join(&name), chapter.clone());
            trials.push(trial(
                format!("{name}: all exercises of the chapter are there"),
                move || {
                    page::includes_all_exercises(
                        &Page::with(&file, &fs::read_to_string(&file)?),
                        &chapter,
                    )
                },
            ));
        }
        if chapter.is_dir() {
            let file = workspace.join("book/src").join(&name);
            trials.push(trial(format!("{name}: all code of the chapter is there"), move || {
                page::shows_whole_chapter(&Page::with(&file, &fs::read_to_string(&file)?), &chapter)
            }));
        }
    }
    let book = workspace.join("book");
    trials.push(trial("each check that a page names exists", move || {
        page::proofs_are_checks(&Page::all(&book)?)
    }));
    let (book, transcripts) = (workspace.join("book"), transcripts.to_owned());
    let (book_too, transcripts_too) = (book.clone(), transcripts.clone());
    trials.push(trial("each run with several voices has a diagram", move || {
        page::all_records_are_drawn(&Page::all(&book_too)?, &book_too.join("src"), &transcripts_too)
    }));
    trials.push(trial("every line of every transcript is on a page", move || {
        page::every_transcript_is_shown(&Page::all(&book)?, &transcripts)
    }));
    Ok(trials)
}

/// A user's way through a page, and the transcripts that cannot be run here.
fn trials_of_readings(
    page: &Page,
    user: User,
    diagnosis: &Diagnosis,
    place: &Arc<Place>,
) -> anyhow::Result<Vec<Trial>> {
    let name = page.name();
    let (mut files, mut trials) = (Vec::new(), Vec::new());
    for file in page.transcripts()? {
        let transcript = Transcript::parse(&fs::read_to_string(&file)?)
            .with_context(|| format!("{}", file.display()))?;
        if !transcript.is_for(user) {
            continue;
        }
        match why_not(&file, &transcript, diagnosis)? {
            None => files.push(file),
            Some(reason) => {
                let name = format!("{name}: {} as {}", reading::name_of(&file), user.name());
                trials.push(trial_or_skip(name, move || Ok(Outcome::Skipped(reason))));
            }
        }
    }
    if !files.is_empty() {
        trials.extend(Reading::new(user, place, files).trials(&name));
    }
    Ok(trials)
}

/// Why a transcript cannot be run here: its chapter does not run, or the cgroups are not its own.
fn why_not(
    file: &Path,
    transcript: &Transcript,
    diagnosis: &Diagnosis,
) -> anyhow::Result<Option<String>> {
    let here = if cgroups::memory_is_on_v1()? { 1 } else { 2 };
    if let Some(version) = transcript.cgroup.filter(|version| *version != here) {
        return Ok(Some(format!(
            "this transcript is of cgroup v{version}, and here memory is on v{here}"
        )));
    }
    let chapter = file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let answer = diagnosis.get(&*chapter).filter(|answer| answer.verdict == Verdict::Blocked);
    Ok(answer.map(|answer| answer.reasons.join("; ")))
}

fn diagnosis_of(user: User, place: &Place) -> anyhow::Result<Diagnosis> {
    let doctor = place.programs().join("doctor");
    diagnosis::ask(&Bench::new(0, &doctor, user, &place.folder)?, &[])
}
