//! What does the doctor say for a user, and do the stages do as it said?

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    os::unix::process::ExitStatusExt,
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tinyjson::{InnerAsRef, JsonValue};

use crate::{
    Outcome, User,
    bench::{Bench, Ended},
    chapters::{CHAPTERS, Chapter},
    patience,
    process::wait_for_end,
    records::json,
    unread::full_pipe,
};

/// What the doctor says of a chapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of it runs.
    Runs,
    /// It runs, but for something.
    Partly,
    /// It does not run.
    Blocked,
}

/// The doctor's answer for one chapter.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Whether it runs.
    pub verdict: Verdict,
    /// Because of what, and what to do.
    pub reasons: Vec<String>,
}

/// The doctor's answers, by the chapter's name.
pub type Diagnosis = BTreeMap<String, Answer>;

/// Runs `doctor --json` as the bench's user, under these words (none, or such as `unshare -r`).
pub fn ask(bench: &Bench, under: &[&str]) -> anyhow::Result<Diagnosis> {
    let run = bench.run(bench.other("doctor"), ["--json"]);
    let ended = if under.is_empty() {
        run
    } else {
        run.under(under)
    }
    .finish()?;
    read(&ended)
}

fn read(ended: &Ended) -> anyhow::Result<Diagnosis> {
    let diagnosis =
        answers(&ended.text()).with_context(|| format!("doctor said {}", ended.errors))?;
    let blocked = diagnosis.values().any(|answer| answer.verdict == Verdict::Blocked);
    ensure!(
        ended.status() == i32::from(blocked),
        "the doctor's exit status is {}",
        ended.status()
    );
    Ok(diagnosis)
}

/// The answers in the JSON that a doctor wrote.
///
/// # Errors
///
/// It is no such JSON.
pub fn answers(text: &str) -> anyhow::Result<Diagnosis> {
    let json = json(text)?;
    let mut diagnosis = Diagnosis::new();
    for chapter in field::<Vec<JsonValue>>(&json, "chapters")? {
        let reason =
            |reason: &JsonValue| reason.get::<String>().cloned().context("a reason is no string");
        let reasons = field::<Vec<JsonValue>>(chapter, "reasons")?
            .iter()
            .map(reason)
            .collect::<anyhow::Result<_>>()?;
        let verdict = match field::<String>(chapter, "verdict")?.as_str() {
            "runs" => Verdict::Runs,
            "partly" => Verdict::Partly,
            "blocked" => Verdict::Blocked,
            other => bail!("the doctor has a verdict {other}"),
        };
        let name = field::<String>(chapter, "chapter")?;
        let before = diagnosis.insert(name.clone(), Answer { verdict, reasons });
        ensure!(before.is_none(), "the doctor has two answers for {name}");
    }
    Ok(diagnosis)
}

/// A field of a JSON object, of the type that the caller wants.
///
/// # Errors
///
/// There is no such field, or it is of another type.
pub fn field<'a, T: InnerAsRef>(object: &'a JsonValue, key: &str) -> anyhow::Result<&'a T> {
    let fields: &HashMap<String, JsonValue> =
        object.get().context("the doctor's JSON is no object")?;
    fields
        .get(key)
        .and_then(JsonValue::get)
        .with_context(|| format!("no {key} in the doctor's JSON"))
}

/// Each stage runs if the doctor says so, and if not, fails with the doctor's words; and so
/// does the part of it that the doctor has doubts about.
pub fn stages_agree(bench: &Bench, under: &[&str]) -> anyhow::Result<Diagnosis> {
    let diagnosis = ask(bench, under)?;
    for chapter in &CHAPTERS {
        let answer = diagnosis
            .get(chapter.name)
            .with_context(|| format!("no word of {}", chapter.name))?;
        let can_run = answer.verdict != Verdict::Blocked;
        agrees(&run(bench, under, chapter, &[])?, can_run, chapter, answer)?;
        let is_root = bench.user == User::Root || !under.is_empty();
        if let (Some(part), true) = (part(chapter.number(), is_root), can_run) {
            let has_all = answer.verdict == Verdict::Runs;
            agrees(&run(bench, under, chapter, part)?, has_all, chapter, answer)?;
        }
    }
    Ok(diagnosis)
}

/// What it says to a person agrees with what it says to a program: each chapter stands once behind
/// its mark, on lines that fit on any terminal, the last line is a command, and nobody is sent to
/// root without another way.
///
/// # Errors
///
/// It does not.
pub fn speaks_plainly(bench: &Bench, under: &[&str]) -> anyhow::Result<()> {
    let diagnosis = ask(bench, under)?;
    let run = bench.run(bench.other("doctor"), [""; 0]);
    let ended = if under.is_empty() {
        run
    } else {
        run.under(under)
    }
    .finish()?;
    let blocked = diagnosis.values().any(|answer| answer.verdict == Verdict::Blocked);
    let text = ended.must_end_with(i32::from(blocked))?.text();
    ensure!(!text.contains('\x1b'), "it writes colours into a file: {text}");
    for line in text.lines() {
        let has_space = line.trim().contains(' ');
        ensure!(line.chars().count() <= 80 || !has_space, "a line is too long: {line}");
    }
    let last = text.lines().last().unwrap_or_default();
    ensure!(last.starts_with("Next: ") && last.contains("make "), "the last line is {last}");
    for (chapter, answer) in &diagnosis {
        let groups = text.split("\n\n").filter(|group| group.contains(chapter.as_str()));
        let mark = match answer.verdict {
            Verdict::Runs => "✓ runs",
            Verdict::Partly => "◐ runs in part",
            Verdict::Blocked => "✗ does not run",
        };
        let groups: Vec<&str> = groups.collect();
        let [group] = groups[..] else {
            bail!("{chapter} is in {} groups: {text}", groups.len())
        };
        ensure!(group.starts_with(mark), "{chapter} is {mark}, and stands in {group}");
        let words = group.split_whitespace().collect::<Vec<_>>().join(" ");
        for reason in &answer.reasons {
            let cause = reason.rsplit(": ").next().unwrap_or(reason);
            let cause = cause.split_whitespace().collect::<Vec<_>>().join(" ");
            ensure!(words.contains(&cause), "{chapter}: no {cause} in {group}");
            ensure!(words.contains("no sudo") || words.contains("Everything else"), "{group}");
        }
    }
    Ok(())
}

/// A Ctrl-C ends the doctor that has made its diagnosis, and waits for a reader.
///
/// # Errors
///
/// It does not.
pub fn is_interrupted(bench: &Bench) -> anyhow::Result<Outcome> {
    let (_reader, writer) = full_pipe()?;
    let run = bench.run(bench.other("doctor"), [""; 0]);
    let mut doctor = run.start_on(Stdio::null(), writer.into(), Stdio::null())?;
    let pid = Pid::from_raw(doctor.id() as i32);
    let writing = format!("{} 0x1 ", libc::SYS_write);
    let start = Instant::now();
    while !fs::read_to_string(format!("/proc/{pid}/syscall"))?.starts_with(&writing)
        && start.elapsed() < patience(bench.bound)
    {
        sleep(Duration::from_millis(5));
    }
    kill(pid, Signal::SIGINT)?;
    let ended = wait_for_end(pid, patience(Duration::from_secs(5)))?;
    doctor.kill()?;
    let status = doctor.wait()?;
    ensure!(ended, "it runs on after a Ctrl-C");
    ensure!(status.signal() == Some(libc::SIGINT), "after a Ctrl-C it ended with {status}");
    Ok(Outcome::Holds)
}

/// The options that ask for what a chapter's probe may find not to work, while the rest does.
fn part(chapter: u8, is_root: bool) -> Option<&'static [&'static str]> {
    match chapter {
        5 if !is_root => Some(&["--uid-map", "auto"]),
        7.. => Some(&["-m", "64m"]),
        _ => None,
    }
}

fn run(
    bench: &Bench,
    under: &[&str],
    chapter: &Chapter,
    options: &[&str],
) -> anyhow::Result<Ended> {
    let binary = bench.other(chapter.name);
    let words = [&["-q"], options, &["true"]].concat();
    let run = match chapter.number() {
        // With the files that it has by itself: they are what its probe is about.
        9.. => bench.run(&binary, [&["run"], &words[..]].concat()),
        number => bench.stage_at(number, &binary, words),
    };
    if under.is_empty() {
        run
    } else {
        run.under(under)
    }
    .finish()
}

fn agrees(ended: &Ended, runs: bool, chapter: &Chapter, answer: &Answer) -> anyhow::Result<()> {
    let said = || format!("{}: it says {} (doctor: {answer:?})", chapter.name, ended.errors);
    if runs {
        ensure!(ended.status() == 0, "{}", said());
    } else {
        let way_out = answer
            .reasons
            .first()
            .and_then(|reason| reason.rsplit(": ").next())
            .unwrap_or_default();
        ensure!(ended.status() == 125 && ended.errors.contains(way_out), "{}", said());
    }
    Ok(())
}

#[cfg(test)]
mod properties;
