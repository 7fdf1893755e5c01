//! What did all tests say, in one summary?
//!
//! `cargo test` runs many programs, and each ends with a result of its own: the last one that a
//! reader sees may be green above a red one. [`Reader`] reads what they write, and a [`Summary`]
//! names what failed and groups what was skipped by its reason.

mod reader;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt::Write};

pub use reader::{Program, Reader, Skip};

use crate::styles::Styles;

/// So many places of a reason are named.
const PLACES: usize = 4;

/// What is left to say after all tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many tests passed.
    pub passed: usize,
    /// What failed, each with the program's name: a test, or the program itself.
    pub failures: Vec<String>,
    /// The places of the tests that were skipped, by the reason.
    pub skips: BTreeMap<String, Vec<String>>,
}

impl Summary {
    /// Sums the programs up. `may_skip` is asked with each skipped test's name and reason;
    /// `failed_to_run` is what cargo itself failed with.
    pub fn of(
        programs: &[Program],
        may_skip: impl Fn(&str, &str) -> bool,
        failed_to_run: Option<String>,
    ) -> Summary {
        let mut summary = Summary::default();
        for program in programs {
            summary.add(program, &may_skip);
        }
        if let Some(reason) = failed_to_run.filter(|_| summary.failures.is_empty()) {
            summary.failures.push(reason);
        }
        summary
    }

    fn add(&mut self, program: &Program, may_skip: impl Fn(&str, &str) -> bool) {
        let name = &program.name;
        self.passed += program.passed;
        self.failures
            .extend(program.failures.iter().map(|test| format!("{name}: {test}")));
        self.failures.extend(failure_of_its_own(program));
        for Skip { test, reason } in &program.skips {
            if may_skip(test, reason) {
                // `06-reexec as user: 05 what must hold`: the check, and not each of its stages.
                let check = test.split_once(": ").map_or(test.as_str(), |(_, check)| check);
                self.skip(reason, format!("{name}: {check}"));
            } else {
                self.failures
                    .push(format!("{name}: {test}: skipped, and CI expects no skip: {reason}"));
            }
        }
        for _ in program.skips.len()..program.ignored {
            self.skip("its line was not understood", name.clone());
        }
    }

    fn skip(&mut self, reason: &str, place: String) {
        self.skips.entry(reason.to_owned()).or_default().push(place);
    }

    /// How many tests were skipped.
    pub fn skipped(&self) -> usize {
        self.skips.values().map(Vec::len).sum()
    }

    /// As a person wants to read it; the last line is the three numbers.
    pub fn text(&self, styles: Styles) -> String {
        let mut text = String::new();
        let Styles {
            bad, doubt, end, ..
        } = styles;
        if !self.skips.is_empty() {
            writeln!(text, "{doubt}Skipped{end}").expect("a string takes everything");
        }
        for (reason, places) in self.by_frequency() {
            writeln!(text, "{:>5}  {reason}", places.len()).expect("a string takes everything");
            text += &counted(places);
        }
        if !self.failures.is_empty() {
            writeln!(text, "{bad}Failed{end}").expect("a string takes everything");
        }
        for failure in &self.failures {
            writeln!(text, "       {failure}").expect("a string takes everything");
        }
        text + &self.last_line(styles)
    }

    fn by_frequency(&self) -> Vec<(&String, &Vec<String>)> {
        let mut skips: Vec<_> = self.skips.iter().collect();
        skips.sort_by_key(|(_, places)| std::cmp::Reverse(places.len()));
        skips
    }

    /// `12 passed, 0 failed, 3 skipped`: CI looks for this line.
    fn last_line(&self, styles: Styles) -> String {
        let color = if self.failures.is_empty() {
            styles.good
        } else {
            styles.bad
        };
        let (passed, failed, skipped) = (self.passed, self.failures.len(), self.skipped());
        format!("{color}{passed} passed, {failed} failed, {skipped} skipped{}\n", styles.end)
    }
}

/// A program that did not come to its result, or failed although no test of its did.
fn failure_of_its_own(program: &Program) -> Option<String> {
    let end = program.end.as_deref();
    if program.has_result {
        let end = end.filter(|_| program.failed == 0)?;
        return Some(format!("{}: no test failed, but it did ({end})", program.name));
    }
    let mut text = format!("{}: ended without a result", program.name);
    if let Some(end) = end {
        text += &format!(" ({end})");
    }
    if let Some(test) = &program.running {
        text += &format!(", in: {test}");
    } else if !program.last_words.is_empty() {
        text += &format!(": {}", program.last_words);
    }
    Some(text)
}

/// A line a place, with how often, and how many places there are beside the first ones.
fn counted(places: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for place in places {
        *counts.entry(place).or_default() += 1;
    }
    let line = |(place, count): (&&str, &usize)| match count {
        1 => format!("       {place}\n"),
        _ => format!("       {place} ({count} times)\n"),
    };
    let mut text: String = counts.iter().take(PLACES).map(line).collect();
    if counts.len() > PLACES {
        text += &format!("       and {} more\n", counts.len() - PLACES);
    }
    text
}
