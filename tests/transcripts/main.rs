//! The book's transcripts: every command on every page is run, and must print what the page shows.
//!
//! Started as root, they run as root and as an ordinary user; started by an ordinary user,
//! the half that needs root is left out. `SNAPSHOTS=overwrite` rewrites the files whose
//! output has changed by more than names (`make transcripts`). Build the stages first.

mod page;
mod renaming;
mod self_tests;
mod surroundings;
mod transcript;
mod words;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::Arc,
};

use anyhow::{Context, bail, ensure};
use judge::{
    Bench, User,
    chapters::CHAPTERS,
    diagnosis::{self, Diagnosis},
    host::{Snapshot, nobody_stays},
    skips,
};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use nix::unistd::geteuid;
use snapbox::{Data, report};

use crate::{
    page::{Page, files_in},
    surroundings::{Place, Workspace},
    transcript::{Step, Transcript},
};

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let outcome = surroundings::enter().and_then(|()| trials());
    match outcome {
        Ok((place, trials)) => {
            let conclusion = libtest_mimic::run(&arguments, trials);
            drop(place);
            process::exit(i32::from(conclusion.has_failed()));
        }
        Err(error) => {
            eprintln!("transcripts: {error:#}");
            process::exit(101);
        }
    }
}

fn trials() -> anyhow::Result<(Arc<Place>, Vec<Trial>)> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the workspace's folder")?
        .to_owned();
    let book = workspace.join("book");
    let mut programs: Vec<String> =
        CHAPTERS.iter().map(|chapter| chapter.name.to_owned()).collect();
    programs.extend(
        ["rootfs", "doctor", "examples/reexec_usage", "examples/before_main", "examples/unsealed"]
            .map(str::to_owned),
    );
    let place = Arc::new(Place::new(&programs)?);
    let mut transcripts = Vec::new();
    files_in(&book.join("src/transcripts"), "console", &mut transcripts)?;
    let users: &[User] = if geteuid().is_root() {
        &[User::Ordinary, User::Root]
    } else {
        println!("not root: the transcripts that root runs are left out");
        &[User::Ordinary]
    };
    let mut trials = self_tests::trials(&place);
    trials.extend(words::trials(&workspace));
    trials.extend(trials_of_pages(&workspace, &transcripts)?);
    let diagnoses = users
        .iter()
        .map(|user| ask_doctor(*user, &place.0))
        .collect::<anyhow::Result<Vec<_>>>()?;
    for file in &transcripts {
        for (user, diagnosis) in users.iter().zip(&diagnoses) {
            let text = fs::read_to_string(file)?;
            let transcript =
                Transcript::parse(&text).with_context(|| format!("{}", file.display()))?;
            if transcript.is_for(*user) {
                let name = format!(
                    "{} as {}",
                    file.strip_prefix(book.join("src"))?.display(),
                    user.name()
                );
                let chapter =
                    file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
                let ill =
                    diagnosis.get(&*chapter).filter(|answer| answer.verdict == "does not run");
                let (file, user, place) = (file.clone(), *user, Arc::clone(&place));
                let wrong_version = transcript.on_v1 && surroundings::memory_on_v1()?.is_none();
                let reason = if wrong_version {
                    Some(WRONG_VERSION.into())
                } else {
                    None
                };
                trials.push(match reason.or_else(|| ill.map(|answer| answer.reasons.join("; "))) {
                    None => trial(name, move || replay(&file, user, &place.0)),
                    Some(reason) => skipped(name, reason),
                });
            }
        }
    }
    // The last one: what the README shows is what the others have found.
    trials.push(trial("README.md shows the log of chapter 6", move || {
        readme_is_true(&workspace)
    }));
    Ok((place, trials))
}

/// The README's one log is that of a transcript, to the letter.
fn readme_is_true(workspace: &Path) -> anyhow::Result<()> {
    let file = workspace.join("README.md");
    let readme = fs::read_to_string(&file)?;
    let transcript =
        fs::read_to_string(workspace.join("book/src/transcripts/06-reexec/show.console"))?;
    let (_, shown) = transcript.split_once('\n').context("the first line says who runs it")?;
    let command = shown.lines().next().context("a transcript begins with a command")?;
    let (before, rest) = readme
        .split_once(command)
        .with_context(|| format!("README.md lacks: {command}"))?;
    let (_, after) = rest.split_once("\n```").context("the README's block has no end")?;
    let expected = format!("{before}{}\n```{after}", shown.trim_end());
    if env::var_os("SNAPSHOTS").is_some_and(|action| action == "overwrite") {
        return Ok(fs::write(&file, expected)?);
    }
    ensure!(
        readme == expected,
        "README.md shows another log than the book: make transcripts"
    );
    Ok(())
}

/// A test with this project's errors.
fn trial(
    name: impl Into<String>,
    test: impl FnOnce() -> anyhow::Result<()> + Send + 'static,
) -> Trial {
    Trial::test(name, move || test().map_err(|error| Failed::from(format!("{error:#}"))))
}

/// Why a transcript of cgroup v1 is left out.
const WRONG_VERSION: &str = "this transcript is of cgroup v1, and here memory is on v2";

/// A transcript of a chapter that the doctor says does not run here.
fn skipped(name: String, reason: String) -> Trial {
    let expected = skips::is_expected(&name, &reason);
    Trial::ignorable_test(name, move || match expected {
        true => Ok(Completion::ignored_with(reason)),
        false => Err(format!("skipped, and CI expects no skip: {reason}").into()),
    })
}

fn ask_doctor(user: User, place: &Path) -> anyhow::Result<Diagnosis> {
    diagnosis::ask(&Bench::new(0, &place.join("doctor"), user, place)?, &[])
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
    let (book, transcripts) = (workspace.join("book"), transcripts.to_owned());
    trials.push(trial("every line of every transcript is on a page", move || {
        page::every_transcript_is_shown(&Page::all(&book)?, &transcripts)
    }));
    Ok(trials)
}

/// Runs a transcript's commands again and compares, or rewrites its file.
fn replay(file: &Path, user: User, place: &Path) -> anyhow::Result<()> {
    let written = fs::read_to_string(file)?;
    let transcript = Transcript::parse(&written)?;
    let now = run_again(&transcript, user, place)?.render()?;
    let difference = difference(&written, &now);
    if difference.is_some() && env::var("SNAPSHOTS").is_ok_and(|word| word == "overwrite") {
        // Of two users' transcript the first one is written, and the second must be the same.
        ensure!(
            transcript.who != "both" || user == User::Ordinary,
            "root gets another output than the user"
        );
        println!("rewriting {}", file.display());
        return fs::write(file, now).with_context(|| format!("write {}", file.display()));
    }
    match difference {
        None => Ok(()),
        Some(text) => {
            bail!("the output is not what the page shows (`make transcripts` rewrites it)\n{text}")
        }
    }
}

/// The same commands with what they print now; the machine must be as it was.
fn run_again(transcript: &Transcript, user: User, place: &Path) -> anyhow::Result<Transcript> {
    let workspace = Workspace::new(user, place)?;
    let before = Snapshot::take(user, &workspace.temporary())?;
    let mut steps = Vec::new();
    for step in &transcript.steps {
        let (output, status) = workspace.run(&step.command)?;
        let now = Step {
            command: step.command.clone(),
            output,
            status,
        };
        now.check()?;
        ensure!(
            status == step.status,
            "`{}` ended with exit status {status}, its file says {}; it printed:\n{}",
            step.command,
            step.status,
            now.output
        );
        steps.push(now);
    }
    nobody_stays()?;
    let mut differences = before.differences(&Snapshot::take(user, &workspace.temporary())?);
    differences.retain(|difference| !surroundings::is_of_another_group(&difference.text));
    ensure!(
        differences.is_empty(),
        "the machine is not as it was: {}",
        differences.iter().map(|one| one.text.clone()).collect::<Vec<_>>().join("; ")
    );
    Ok(Transcript {
        steps,
        ..transcript.clone()
    })
}

/// How two transcripts differ by more than names; `None` if they do not.
fn difference(written: &str, now: &str) -> Option<String> {
    let [written, now] = [written, now].map(renaming::rename);
    if written == now {
        return None;
    }
    let (written, now) = (Data::text(written), Data::text(now));
    let mut text = String::new();
    let palette = report::Palette::plain();
    match report::write_diff(
        &mut text,
        &written,
        &now,
        Some(&"the page"),
        Some(&"this run"),
        palette,
    ) {
        Ok(()) => Some(text),
        Err(error) => Some(error.to_string()),
    }
}
