//! Is a coding assistant told what is so, and does a learner's change of it stay?

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use judge::{
    chapters::{CHAPTERS, Chapter},
    workshop::{
        Workshop, chapter,
        crates::{anchored, write_files},
        exercise::Exercise,
        source,
        tutor::{AGENTS, agents},
    },
};

use super::Learner;

/// More than this a reader, and an assistant, does not keep in mind.
const LINES: usize = 60;

/// For each exercise: as in a folder of the repository, and as in a folder elsewhere.
pub fn is_true_for_each_exercise(learner: &Learner) -> anyhow::Result<()> {
    let elsewhere = &learner.workshop;
    let inside = Workshop {
        folder: elsewhere.root.join("workshop"),
        ..elsewhere.clone()
    };
    for chapter in &CHAPTERS {
        for exercise in elsewhere.exercises(chapter)? {
            let what = || format!("{} {}", chapter.name, exercise.file_stem());
            is_true(elsewhere, &inside, chapter, &exercise).with_context(what)?;
        }
    }
    Ok(())
}

fn is_true(
    elsewhere: &Workshop,
    inside: &Workshop,
    chapter: &Chapter,
    exercise: &Exercise,
) -> anyhow::Result<()> {
    let folder = elsewhere.crate_folder(chapter.name);
    let files = elsewhere.handed_out(exercise)?;
    elsewhere.write_crate(chapter.name, &files, &folder)?;
    write_files(&[("TASK.md".to_owned(), exercise.page.clone())].into(), &folder)?;
    for workshop in [elsewhere, inside] {
        let text = agents(workshop, exercise, &workshop.crate_folder(chapter.name), &files);
        let lines = text.lines().count();
        ensure!(lines <= LINES, "{lines} lines, and {LINES} are the most");
        paths_lead_somewhere(&text, workshop, &folder)?;
        has_no_answer(&text, workshop, exercise)?;
        for hole in &exercise.holes {
            let file = anchored(&workshop.chapter_source(chapter.name)?, hole)?;
            let line = hole.put.lines().find(|line| line.contains("todo!")).unwrap_or_default();
            let named = text.lines().any(|said| {
                said.starts_with(&format!("- to write, in `{file}`: `")) && said.contains(line)
            });
            ensure!(named, "no {line:?} of {file} in {text}");
        }
        open_is_not_closed(&text)?;
    }
    Ok(())
}

/// Each file that it names is there.
fn paths_lead_somewhere(text: &str, workshop: &Workshop, folder: &Path) -> anyhow::Result<()> {
    let mut found = 0;
    for path in paths(text).filter(|path| !path.starts_with("/proc")) {
        let path = match path.strip_prefix("../..") {
            Some(path) => workshop.root.join(path.trim_start_matches('/')),
            None => folder.join(path),
        };
        ensure!(path.exists(), "it names {}, and there is no such file", path.display());
        found += 1;
    }
    ensure!(found > 8, "it names {found} files only: {text}");
    Ok(())
}

/// The names of files in a text.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.lines().filter(|line| !line.starts_with("- to write"));
    let code = prose.flat_map(|line| line.split('`').skip(1).step_by(2));
    let words = code.flat_map(|code| code.split(' ')).map(|word| word.trim_matches('\''));
    let own = ["src", "given", "TASK.md", "Cargo.toml"];
    words.filter(move |word| {
        let is_path = word.contains('/') && word.starts_with(|c: char| ".s/".contains(c));
        own.contains(word) || is_path && !word.contains('^')
    })
}

/// Neither a line of the chapter's text that belongs in a hole, nor a hint.
fn has_no_answer(text: &str, workshop: &Workshop, exercise: &Exercise) -> anyhow::Result<()> {
    let files = workshop.chapter_source(exercise.chapter)?;
    for hole in &exercise.holes {
        let file = anchored(&files, hole)?;
        let piece = source::piece_of(&files[&file], &hole.anchor).context("the piece")?;
        for line in piece.lines().map(str::trim).filter(|line| line.len() > 12) {
            ensure!(!text.contains(line), "it has a line of the answer: {line}");
        }
    }
    for hint in &exercise.hints {
        let line = hint.lines().last().unwrap_or_default();
        ensure!(!text.contains(line), "it has a hint: {line}");
    }
    Ok(())
}

/// No file that may be read is in a folder that may not.
fn open_is_not_closed(text: &str) -> anyhow::Result<()> {
    let part = |from: &str, to: &str| {
        let part = text.split_once(from).and_then(|(_, rest)| rest.split_once(to));
        part.map(|(part, _)| part)
            .with_context(|| format!("no part from {from} to {to}"))
    };
    let closed: Vec<&str> = paths(part("## Closed", "## Open")?)
        .filter(|path| !path.ends_with("/chapters") && !path.ends_with(".md"))
        .collect();
    for open in paths(part("## Open", "## When")?) {
        let inside = closed.iter().find(|closed| Path::new(open).starts_with(closed));
        ensure!(inside.is_none(), "{open} is open, and {inside:?} is closed");
    }
    Ok(())
}

/// What a learner writes into the file stays; the part about the exercise is the next one's.
pub fn keeps_what_the_learner_changed(learner: &Learner) -> anyhow::Result<()> {
    let file = learner.folder.join("03-pid").join(AGENTS);
    let read = || fs::read_to_string(&file).with_context(|| format!("read {}", file.display()));
    learner.types(&["start", "03"])?.with(0, &[])?;
    let handed_out = read()?;
    ensure!(handed_out.contains("*One process, two pids*"), "it is about {handed_out}");
    let mine = handed_out.replacen("You are a tutor", "You are a tutor of MINE", 1);
    ensure!(mine != handed_out, "there is no such title in {handed_out}");
    fs::write(&file, &mine)?;
    fs::write(
        learner.folder.join("progress"),
        format!("03-pid {} done 0\n", learner.workshop.exercises(chapter("03")?)?[0].slug),
    )?;
    learner.types(&["start"])?.with(0, &["exercise 2 of"])?;
    let of_next = |text: &str| text.contains("MINE") && text.contains("*A signal for PID 1*");
    ensure!(of_next(&read()?), "it is {}", read()?);
    ensure!(!read()?.contains("*One process, two pids*"), "it is {}", read()?);
    super::change(&learner.next_file(), "todo!(", "todo!(/* MINE */ ")?;
    for words in [["reset", "03", "--force"].as_slice(), &["start", "03", "-e", "2", "--force"]] {
        learner.types(words)?.with(0, &["backup"])?;
        ensure!(of_next(&read()?), "after {words:?} it is {}", read()?);
    }
    // One of an older checkout that the learner has not changed is nobody's.
    for file in [file.clone(), learner.folder.join("03-pid/.handed-out").join(AGENTS)] {
        fs::write(file, "of an older checkout\n")?;
    }
    learner
        .types(&["start", "03", "-e", "2", "--force"])?
        .with(0, &["exercise 2 of"])?;
    ensure!(read()?.contains("You are a tutor here"), "it is {}", read()?);
    // Without its marks, all of it is the learner's; and a new one is written if there is none.
    fs::write(&file, "no tutor\n")?;
    learner.types(&["start", "03", "-e", "1", "--force"])?.with(0, &[])?;
    ensure!(read()? == "no tutor\n", "it is {}", read()?);
    fs::remove_file(&file)?;
    learner.types(&["start", "03", "-e", "1", "--force"])?.with(0, &[])?;
    ensure!(read()? == handed_out, "it is {}", read()?);
    Ok(())
}
