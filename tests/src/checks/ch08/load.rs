//! Chapter 8, under load: many starts, one after another and side by side. What they leave behind,
//! the comparison of the machine after each check finds: groups, mounts, processes, files.

use std::env;

use anyhow::{Context, ensure};

use crate::{
    Ended, Outcome,
    bench::Run,
    checks::{Check, holds},
    patience::repetitions,
};

pub(super) const CHECKS: &[Check] = &[Check::new(
    8,
    "many start one after another and eight at a time, and none fails",
    "hold nothing for longer than a start needs it, and give no two starts the same name: what \
     goes well once can fail when eight do it at the same time",
    |bench| many_start(|script| bench.script(script)),
)
.that_takes_long()
.not_in_the_workshop()];

const AT_ONCE: usize = 8;

/// Starts them, as `run` does for a script.
pub(in crate::checks) fn many_start<'a>(run: impl Fn(&str) -> Run<'a>) -> anyhow::Result<Outcome> {
    let times = times()?;
    let start = |number| run(&format!("echo {number}; exit {}", status(number)));
    for number in 0..times {
        must_end(number, start(number).finish()?)?;
    }
    for first in (0..times).step_by(AT_ONCE) {
        let numbers = first..times.min(first + AT_ONCE);
        let started = numbers.map(|number| Ok((number, start(number).start()?)));
        for (number, one) in started.collect::<anyhow::Result<Vec<_>>>()? {
            must_end(number, one.finish()?)?;
        }
    }
    holds()
}

/// How often: `JUDGE_LOAD`, or a few times.
fn times() -> anyhow::Result<usize> {
    match env::var("JUDGE_LOAD") {
        Ok(times) => times.parse().context("JUDGE_LOAD is a number of starts"),
        Err(_) => Ok(repetitions(2 * AT_ONCE as u32) as usize),
    }
}

/// Each has its own.
fn status(number: usize) -> i32 {
    (number % 100) as i32
}

fn must_end(number: usize, ended: Ended) -> anyhow::Result<()> {
    let ended = ended.must_end_with(status(number))?;
    ensure!(ended.text() == format!("{number}\n"), "start {number}: {}", ended.text());
    Ok(())
}
