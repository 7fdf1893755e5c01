//! Chapter 1: what the log says, and what nobody can make it say.

use anyhow::ensure;

use crate::checks::{Check, holds};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        1,
        "each line of the log is whole and says who speaks",
        "two processes write to one standard error: a line in one write(2), or lines tear",
        |bench| {
            for _ in 0..10 {
                let ended = bench.script("true").finish()?.must_end_with(0)?;
                for line in ended.errors.lines() {
                    let columns: Vec<&str> = line.split_whitespace().take(3).collect();
                    let [elapsed, who, place] = columns[..] else {
                        anyhow::bail!("a line of the log is {line:?}")
                    };
                    let time = elapsed.strip_prefix('+').and_then(|time| time.strip_suffix("ms"));
                    ensure!(
                        time.is_some_and(|time| time.parse::<f64>().is_ok()),
                        "no time: {line:?}"
                    );
                    let pid = who.split_once('[').and_then(|(_, pid)| pid.strip_suffix(']'));
                    ensure!(
                        pid.is_some_and(|pid| pid.parse::<u32>().is_ok()),
                        "no role and pid: {line:?}"
                    );
                    ensure!(place.contains("::"), "no chapter and function: {line:?}");
                    ensure!(!line.contains('\x1b'), "colour, and this is no terminal: {line:?}");
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
        "-q and RUST_LOG=off leave a plain runtime",
        "a log is for a reader: who turns it off wants the command's own words only",
        |bench| {
            let ended = bench
                .stage(["-q", "--", "sh", "-c", "echo out; echo err >&2"])
                .finish()?
                .must_end_with(0)?;
            ensure!(ended.errors == "err\n", "with -q it says {:?}", ended.errors);
            let ended =
                bench.script("echo err >&2").env("RUST_LOG", "off").finish()?.must_end_with(0)?;
            ensure!(ended.errors == "err\n", "with RUST_LOG=off it says {:?}", ended.errors);
            holds()
        },
    ),
];
