//! Chapter 1: what the log says, and what nobody can make it say.

use std::{fs::File, io::Read, thread};

use anyhow::{Context, ensure};
use nix::{fcntl::OFlag, unistd::pipe2};

use crate::checks::{Check, holds};
use crate::told;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        1,
        "each line of the log is whole and says who speaks",
        "parent and child write to one standard error: write each line with one write(2), or \
         pieces of two lines mix",
        |bench| {
            for options in [&[][..], &["-v"]].repeat(5) {
                let words = [options, &["sh", "-c", "true"]].concat();
                let ended = bench.stage(words).finish()?.must_end_with(0)?;
                for line in ended.errors.lines() {
                    let mut words = line.split_whitespace();
                    let (Some(elapsed), Some(who), Some(place)) =
                        (words.next(), words.next(), words.next_back())
                    else {
                        anyhow::bail!("a line of the log is {line}", line = told(&line))
                    };
                    let time = elapsed.strip_prefix('+').unwrap_or_default();
                    let number = time.trim_end_matches(|c: char| c.is_ascii_lowercase());
                    ensure!(
                        number != time && number.parse::<f64>().is_ok(),
                        "no time: {line}",
                        line = told(&line)
                    );
                    let pid = who.split_once('[').and_then(|(_, pid)| pid.strip_suffix(']'));
                    ensure!(
                        pid.is_some_and(|pid| pid.parse::<u32>().is_ok()),
                        "no role and pid: {line}",
                        line = told(&line)
                    );
                    ensure!(
                        place.contains("::"),
                        "no chapter and function: {line}",
                        line = told(&line)
                    );
                    ensure!(
                        !line.contains('\x1b'),
                        "colour, and this is no terminal: {line}",
                        line = told(&line)
                    );
                }
                let said = ended.messages();
                ensure!(
                    said.iter().any(|message| message.starts_with("cloning: ")),
                    "nobody says what is cloned"
                );
                ensure!(
                    said.iter().any(|message| message.ends_with("ended with status 0")),
                    "nobody says how it ended"
                );
            }
            holds()
        },
    ),
    Check::new(
        1,
        "the log is short, and -v shows all of it",
        "a person reads a line for each idea: what is a step on the way to one has the level debug",
        |bench| {
            let said = |options: &[&str]| {
                let words = [options, &["uname", "-n"]].concat();
                let ended = bench.stage(words).finish()?.must_end_with(0)?;
                anyhow::Ok(ended.errors.lines().count())
            };
            said(&[])?; // the first run makes the default image of chapter 9
            let (short, all) = (said(&[])?, said(&["-v"])?);
            let most = match bench.stage {
                2 => 12, // its proof is a run of its own
                ..8 => 10,
                _ => 14,
            };
            ensure!(short <= most, "{short} lines for one command, and {most} are enough");
            ensure!(bench.stage < 4 || short < all, "{short} lines, and with -v {all}");
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        1,
        "each line reaches standard error in one write",
        "parent and child write to one standard error: write each line, errors too, with one \
         write(2), or pieces of two lines mix",
        |bench| {
            for words in [["--", "true"], ["--", "no-such-command"]] {
                // In packet mode a read returns what one write(2) has written (pipe(2)).
                let (reader, writer) =
                    pipe2(OFlag::O_DIRECT | OFlag::O_CLOEXEC).context("pipe2")?;
                let pieces = thread::spawn(move || pieces_of(reader.into()));
                let ended = bench.stage(words).complaining_to(writer).finish()?;
                ensure!([0, 127].contains(&ended.status()), "it ended with {}", ended.status());
                let pieces = pieces.join().expect("a reader does not panic")?;
                ensure!(!pieces.is_empty(), "it says nothing");
                must_be_lines(&pieces)?;
            }
            holds()
        },
    ),
    Check::new(
        1,
        "what is chosen inside or by a caller cannot forge a line, or talk to the terminal",
        "a name may contain a newline or an escape character, which forges a line or controls the \
         terminal: print such bytes escaped",
        |bench| {
            let forged = "x\n +0.01ms parent[1] 01-uts::main forged\x1b[31m\x07\r";
            for words in [["--hostname", forged, "true"], ["--", forged, "x"]] {
                let ended = bench.stage(words).finish()?;
                ensure!([0, 127].contains(&ended.status()), "it ended with {}", ended.status());
                let raw = ended.errors.contains(['\x1b', '\x07', '\r']);
                ensure!(!raw, "it writes what a terminal obeys: {}", told(&ended.errors));
                for line in ended.errors.lines().filter(|line| line.contains("forged")) {
                    ensure!(
                        !line.starts_with(" +0.01ms"),
                        "a forged line: {line}",
                        line = told(&line)
                    );
                }
            }
            holds()
        },
    ),
    Check::new(
        1,
        "-q and RUST_LOG=off leave a plain runtime",
        "with the log off, standard error belongs to the command alone",
        |bench| {
            let ended = bench
                .stage(["-q", "--", "sh", "-c", "echo out; echo err >&2"])
                .finish()?
                .must_end_with(0)?;
            ensure!(ended.errors == "err\n", "with -q it says {}", told(&ended.errors));
            let ended =
                bench.script("echo err >&2").env("RUST_LOG", "off").finish()?.must_end_with(0)?;
            ensure!(ended.errors == "err\n", "with RUST_LOG=off it says {}", told(&ended.errors));
            holds()
        },
    ),
];

/// What was written into a pipe in packet mode, one write(2) after the other, up to its end.
pub(in crate::checks) fn pieces_of(mut pipe: File) -> anyhow::Result<Vec<String>> {
    let (mut pieces, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match pipe.read(&mut piece).context("read a pipe")? {
            0 => return Ok(pieces),
            length => pieces.push(String::from_utf8_lossy(&piece[..length]).into_owned()),
        }
    }
}

/// Each piece must be one line.
pub(in crate::checks) fn must_be_lines(pieces: &[String]) -> anyhow::Result<()> {
    for piece in pieces {
        let is_line = piece.ends_with('\n') && piece.matches('\n').count() == 1;
        ensure!(is_line, "{piece} was written at once, and is no line", piece = told(piece));
    }
    Ok(())
}
