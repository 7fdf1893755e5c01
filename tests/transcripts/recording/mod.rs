//! Is the recording in README.md what the terminal shows?
//!
//! A person's first minute, on a terminal, is run again and compared with the SVG
//! up to names, as a transcript is. `SNAPSHOTS=overwrite` draws it anew if it differs.

mod screen;
mod svg;

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, bail, ensure};
use judge::{
    Outcome, User,
    diagnosis::{Diagnosis, Verdict},
    terminal::Terminal,
};
use libtest_mimic::Trial;

use crate::{
    harness::{trial, trial_or_skip},
    place::Place,
    reader::Reader,
    reading::{difference, is_refresh},
};

pub use screen::{Line, Span, Style};

/// Where it is kept.
const FILE: &str = "book/src/recordings/first-container.svg";

/// What is typed: first at a person's own prompt, then in the container.
const COMMAND: &str = "cargo run --bin 09-aufs";
const TYPED: [&str; 4] = ["hostname", "echo $$", "rm /image-layer1.txt", "exit"];

/// The end of the prompt in the container.
const PROMPT: &str = "# ";

/// What is read to a person who cannot see it.
const TITLE: &str = "A terminal. cargo run --bin 09-aufs starts a container; the log says what \
                     the parent does outside and the child inside. In it, hostname prints the \
                     container's own name, echo $$ prints 1, and rm /image-layer1.txt deletes a \
                     file. After exit the log lists that the file was deleted in the container.";

pub fn trials(workspace: &Path, place: &Arc<Place>, diagnosis: &Diagnosis) -> Vec<Trial> {
    let blocked = diagnosis.get("09-aufs").filter(|answer| answer.verdict == Verdict::Blocked);
    let reason = blocked.map(|answer| answer.reasons.join("; "));
    let (file, place, readme) = (workspace.join(FILE), Arc::clone(place), workspace.to_owned());
    let compared =
        trial_or_skip("the recording is what the terminal shows".into(), move || match reason {
            Some(reason) => Ok(Outcome::Skipped(reason)),
            None => is_true(&file, &place),
        });
    let shown = trial("README.md shows the recording, and what is typed in it", move || {
        is_shown(&readme)
    });
    let mut trials = vec![compared, shown];
    trials.extend(screen::trials());
    trials.extend(svg::trials());
    trials
}

fn is_true(file: &Path, place: &Arc<Place>) -> anyhow::Result<Outcome> {
    let now = recorded(place)?;
    let text = |lines: &[Line]| lines.iter().map(Line::text).collect::<Vec<_>>().join("\n");
    if text(&now).contains("aufs: layers") {
        return Ok(Outcome::Skipped(
            "this kernel has aufs, and the recording shows overlay".into(),
        ));
    }
    let colours = |lines: &[Line]| lines.iter().map(Line::colours).collect::<Vec<_>>().join("\n");
    let written = svg::lines_of(&fs::read_to_string(file).unwrap_or_default())?;
    let differs = difference(&text(&written), &text(&now))
        .or_else(|| difference(&colours(&written), &colours(&now)));
    match differs {
        // What draws it may have changed.
        None if is_refresh() => svg::write(file, &written, TITLE)?,
        None => {
            let same = fs::read_to_string(file)? == svg::drawn(&written, TITLE);
            ensure!(same, "{} is drawn in another way: make transcripts", file.display());
        }
        Some(_) if is_refresh() => svg::write(file, &now, TITLE)?,
        Some(difference) => {
            bail!("the terminal shows something else (`make transcripts` draws it)\n{difference}")
        }
    }
    Ok(Outcome::Holds)
}

/// Runs it, and returns what the terminal shows.
fn recorded(place: &Arc<Place>) -> anyhow::Result<Vec<Line>> {
    let reader = Reader::new(User::Ordinary, place)?;
    // The image is there from an earlier run.
    let warm = reader.command("sh", &format!("{COMMAND} -- run -q -- true")).finish()?;
    warm.must_end_with(0)?;
    reader.set_next_pid()?;
    let run = reader.command("sh", &format!("stty rows 40 cols {}; {COMMAND}", screen::COLUMNS));
    let mut terminal = Terminal::of_leader(run.env("TERM", "xterm-256color"))?;
    let mut shown = format!("\x1b[32m$\x1b[39m \x1b[1m{COMMAND}\x1b[22m\r\n");
    for line in TYPED {
        shown += &(terminal.until(PROMPT)? + PROMPT);
        terminal.write(&format!("{line}\n"))?;
        // Bold as far as it is typed.
        shown += &format!("\x1b[1m{}\x1b[22m\r\n", terminal.until("\r\n")?);
    }
    let (status, rest) = terminal.rest()?;
    ensure!(status == 0, "it ended with {status}, and showed {shown}{rest}");
    screen::lines_of(&reader.as_in_the_book(&(shown + &rest))?)
}

fn is_shown(workspace: &Path) -> anyhow::Result<()> {
    let readme = fs::read_to_string(workspace.join("README.md"))?;
    ensure!(readme.contains(&format!("src=\"{FILE}\"")), "README.md does not show {FILE}");
    for line in [COMMAND].iter().chain(&TYPED[..3]) {
        ensure!(readme.contains(line), "README.md does not say to type {line}");
    }
    let svg = fs::read_to_string(workspace.join(FILE)).context("the recording")?;
    ensure!(svg.len() < 40_000, "{FILE} has {} bytes", svg.len());
    Ok(())
}
