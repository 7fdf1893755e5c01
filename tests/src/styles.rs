//! In which colours does a program of the judge speak, and when in none?

use std::{
    env,
    io::{IsTerminal, stdout},
};

/// The styles of a terminal, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Styles {
    /// Before what failed.
    pub bad: &'static str,
    /// Before what passed.
    pub good: &'static str,
    /// Before what was skipped, or is not done yet.
    pub doubt: &'static str,
    /// After each of them.
    pub end: &'static str,
}

impl Styles {
    /// Bold red, bold green, bold yellow.
    pub const COLORED: Styles = Styles {
        bad: "\x1b[1;31m",
        good: "\x1b[1;32m",
        doubt: "\x1b[1;33m",
        end: "\x1b[0m",
    };

    /// The styles of standard output: colours on a terminal, unless `NO_COLOR` is set, `CLICOLOR`
    /// is 0 or the terminal has none.
    pub fn of_output() -> Styles {
        let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || is("CLICOLOR", "0")
            || is("TERM", "dumb");
        match stdout().is_terminal() && !unwanted {
            true => Styles::COLORED,
            false => Styles::default(),
        }
    }
}
