//! Chapter 1: how the log looks on a terminal.

use anyhow::{Context, ensure};

use crate::{
    Bench,
    checks::{Check, holds},
    terminal::Terminal,
    told,
};

/// Which colour each voice has: the outside's, the inside's, a third one's.
const COLOURS: [(&[&str], &str); 3] = [
    (&["parent", "outside", "keeper"], "36"),
    (&["child", "inside", "init"], "38;5;208"),
    (&["helper"], "35"),
];

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        1,
        "on a terminal no line of the log wraps, and each side has its colour",
        "the reader tells parent from child by the colour of the whole line: read the width from \
         the terminal (TIOCGWINSZ), and leave out the place first, and then cut the message",
        |bench| {
            // From stage 12 on, -t makes the terminal raw.
            let last = if bench.stage < 8 { "-v" } else { "-t" };
            for columns in [80, 120] {
                for options in [&[][..], &["-v"], &[last]] {
                    let shown = log_of(bench, columns, "", options)?;
                    for line in shown.lines() {
                        must_fit(line, columns)?;
                    }
                    let is_whole = shown.contains("cloning: ") && shown.contains(" with status 3");
                    ensure!(is_whole, "it shows {}", told(&shown));
                }
            }
            holds()
        },
    ),
    Check::new(
        1,
        "NO_COLOR, CLICOLOR and CI leave text alone, and an error is red",
        "what a terminal obeys is only for a terminal, and a reader may not want it: no-color.org",
        |bench| {
            for plain in ["NO_COLOR=1", "CLICOLOR=0", "CI=true", "TERM=dumb"] {
                let shown = log_of(bench, 120, plain, &["-v"])?;
                ensure!(!shown.contains('\x1b'), "with {plain} it shows {}", told(&shown));
                for line in shown.lines() {
                    ensure!(line.chars().count() <= 120, "a line wraps: {}", told(line));
                }
            }
            let shown = log_of(bench, 120, "", &["--no-such-option"])?;
            let error = shown.lines().find(|line| line.contains("--no-such-option"));
            let error = error.context("it shows no error")?;
            let is_red = error.starts_with("\x1b[1;31m") && error.ends_with("\x1b[0m");
            ensure!(is_red, "the error is {}", told(error));
            let forced = bench.script("true").env("CLICOLOR_FORCE", "1").finish()?;
            let forced = forced.must_end_with(0)?.errors.clone();
            let is_coloured = forced.lines().all(|line| line.starts_with("\x1b["));
            ensure!(is_coloured, "with CLICOLOR_FORCE it says {}", told(&forced));
            holds()
        },
    ),
];

/// What a terminal shows of a run with these options, whose command ends with 3.
fn log_of(bench: &Bench, columns: u16, variable: &str, options: &[&str]) -> anyhow::Result<String> {
    let run = bench.stage([options, &["--", "sh", "-c", "exit 3"]].concat());
    let unset = "unset NO_COLOR CLICOLOR CLICOLOR_FORCE CI";
    let export = format!("export TERM=xterm {variable}");
    let script = format!("{unset}; {export}; \"$0\" \"$@\"; echo THE END; read x");
    let mut terminal = Terminal::with_columns(run, &script, columns)?;
    let shown = terminal.until("THE END")?;
    let begins_at_the_left = shown.matches('\n').count() == shown.matches("\r\n").count();
    ensure!(begins_at_the_left, "not all lines begin at the left: {}", told(&shown));
    let shown = shown.replace('\r', "");
    terminal.write("\n")?;
    ensure!(terminal.end()? == 0, "the shell has failed");
    Ok(shown)
}

/// A line of the log: its colour, and its length without what the terminal obeys.
fn must_fit(line: &str, columns: u16) -> anyhow::Result<()> {
    let (colour, rest) = line
        .strip_prefix("\x1b[")
        .and_then(|rest| rest.split_once('m'))
        .with_context(|| format!("a line without colour: {}", told(line)))?;
    let who = rest.split_whitespace().nth(1).and_then(|who| who.split_once('['));
    let (role, _) = who.with_context(|| format!("nobody says {}", told(line)))?;
    let expected = COLOURS.iter().find(|(roles, _)| roles.contains(&role));
    let expected = expected.with_context(|| format!("an unknown voice: {}", told(line)))?.1;
    ensure!(colour == expected, "{role} has colour {colour}, not {expected}: {}", told(line));
    let text = rest.replace("\x1b[0;2m", "").replace("\x1b[0m", "");
    ensure!(!text.contains('\x1b'), "more than colours: {}", told(line));
    let (length, most) = (text.chars().count(), usize::from(columns));
    ensure!(length <= most, "{length} columns, and the terminal has {most}: {}", told(line));
    let place = text.rsplit("  ").next().filter(|place| place.contains("::"));
    ensure!(
        place.is_none() || length == most,
        "the place is not at the right: {}",
        told(line)
    );
    Ok(())
}
