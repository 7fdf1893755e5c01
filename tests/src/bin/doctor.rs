//! Which chapters run on this machine, and if one does not: why, and what to do.

use std::{collections::HashMap, io::Write, process::ExitCode};

use clap::Parser;
use judge::chapters::CHAPTERS;
use lab::{Exit, Probe};
use nix::unistd::geteuid;
use tinyjson::JsonValue;

/// Asks each chapter whether it runs on this machine, and if not: why, and what to do.
///
/// Exit status 0 only if every chapter runs.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// One JSON object, for the presenter of a workshop
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    lab::run(|| {
        let cli = Cli::parse();
        // What the probes try is no news; only their answers are.
        log::set_max_level(log::LevelFilter::Off);
        let answers: Vec<(&str, Probe)> =
            CHAPTERS.iter().map(|chapter| (chapter.name, (chapter.probe)())).collect();
        let text = if cli.json {
            in_json(&answers)?
        } else {
            in_words(&answers)
        };
        std::io::stdout().write_all(text.as_bytes())?;
        let all_run = answers.iter().all(|(_, answer)| *answer == Probe::Runs);
        Ok(Exit::Code(u8::from(!all_run)))
    })
}

fn machine() -> (String, String, u32) {
    let name = nix::sys::utsname::uname().ok();
    let field = |value: Option<&std::ffi::OsStr>| {
        value.map_or("?".into(), |value| value.to_string_lossy().into_owned())
    };
    let release = field(name.as_ref().map(|name| name.release()));
    let hardware = field(name.as_ref().map(|name| name.machine()));
    (release, hardware, geteuid().as_raw())
}

fn in_words(answers: &[(&str, Probe)]) -> String {
    let (release, hardware, uid) = machine();
    let mut text = format!("Linux {release} on {hardware}, as uid {uid}\n");
    for (chapter, answer) in answers {
        text += &format!("{chapter:<17} {}\n", answer.verdict());
    }
    text + &reasons(answers) + &advice(answers)
}

/// Each reason once, below the chapters that it is of.
fn reasons(answers: &[(&str, Probe)]) -> String {
    let mut by_reason: Vec<(String, Vec<&str>)> = Vec::new();
    for (chapter, answer) in answers {
        for reason in answer.reasons() {
            match by_reason.iter_mut().find(|(other, _)| *other == reason) {
                Some((_, chapters)) => chapters.push(chapter),
                None => by_reason.push((reason, vec![chapter])),
            }
        }
    }
    let lines = |(reason, chapters): &(String, Vec<&str>)| {
        format!("\n{}\n  {reason}\n", chapters.join(", "))
    };
    by_reason.iter().map(lines).collect()
}

/// What "runs in part" means for a learner.
fn advice(answers: &[(&str, Probe)]) -> String {
    let in_part: Vec<&str> = answers
        .iter()
        .filter(|(_, answer)| matches!(answer, Probe::InPart(_)))
        .map(|(chapter, _)| *chapter)
        .collect();
    let mut text = String::new();
    if !in_part.is_empty() {
        text += "\n\"Runs in part\": all but what the reason names, and all exercises but those \
                 about just that.\n";
    }
    if in_part.contains(&"07-cgroup-memory") {
        text += "Chapter 7's exercises are all about limits: read its page, which shows the runs, \
                 and go on\nwith `make start CH=08`. The exercises after it need no limits.\n";
    }
    text
}

fn in_json(answers: &[(&str, Probe)]) -> anyhow::Result<String> {
    let (release, hardware, uid) = machine();
    let chapter = |(chapter, answer): &(&str, Probe)| {
        object([
            ("chapter", JsonValue::from(chapter.to_string())),
            ("verdict", JsonValue::from(answer.verdict().to_owned())),
            (
                "reasons",
                JsonValue::from(
                    answer.reasons().into_iter().map(JsonValue::from).collect::<Vec<_>>(),
                ),
            ),
        ])
    };
    let whole = object([
        ("kernel", JsonValue::from(release)),
        ("machine", JsonValue::from(hardware)),
        ("uid", JsonValue::from(f64::from(uid))),
        ("chapters", JsonValue::from(answers.iter().map(chapter).collect::<Vec<_>>())),
    ]);
    Ok(whole.format()? + "\n")
}

fn object<const N: usize>(fields: [(&str, JsonValue); N]) -> JsonValue {
    JsonValue::from(HashMap::from(fields.map(|(key, value)| (key.to_owned(), value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_said_once() {
        let limits = || Probe::InPart(vec!["limit memory: no group".into()]);
        let answers = [
            ("06-reexec", Probe::Runs),
            ("07-cgroup-memory", limits()),
            ("08-pipe-init", limits()),
            ("09-aufs", Probe::DoesNotRun("no overlay".into())),
        ];
        assert_eq!(
            reasons(&answers),
            "\n07-cgroup-memory, 08-pipe-init\n  limit memory: no group\n\n09-aufs\n  no overlay\n"
        );
        assert!(advice(&answers).contains("go on\nwith `make start CH=08`"));
        assert_eq!(advice(&answers[..1]), "");
        assert!(!advice(&answers[2..]).contains("CH=08"));
    }
}
