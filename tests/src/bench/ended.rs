//! What did a run write, and how did it end?

use std::{
    cell::{Cell, RefCell},
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
};

use crate::told;
use anyhow::{bail, ensure};

thread_local! {
    /// The runs that have ended with a status that nobody has looked at.
    static UNLOOKED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What ended since the last call with an exit status that nobody has looked at: a check that
/// does so passes whatever happens.
pub fn nobody_looked_at() -> Vec<String> {
    UNLOOKED.with_borrow_mut(std::mem::take)
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    status: ExitStatus,
    looked: Cell<bool>,
    /// Standard output.
    pub output: Vec<u8>,
    /// Standard error.
    pub errors: String,
}

impl Drop for Ended {
    fn drop(&mut self) {
        if !self.looked.get() {
            let what = format!("{}, which wrote {}", self.status, told(&self.text()));
            UNLOOKED.with_borrow_mut(|unlooked| unlooked.push(what));
        }
    }
}

impl Ended {
    pub(super) fn new(status: ExitStatus, output: Vec<u8>, errors: String) -> Ended {
        Ended {
            status,
            looked: Cell::new(false),
            output,
            errors,
        }
    }

    /// The exit status; 128+N if signal N ended it, as a shell says it.
    pub fn status(&self) -> i32 {
        self.looked.set(true);
        let by_signal = self.status.signal().map(|signal| 128 + signal);
        self.status.code().or(by_signal).unwrap_or(-1)
    }

    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }

    /// What the stage said on the log, a line each, without the log's own columns. Other lines are
    /// as they are.
    pub fn messages(&self) -> Vec<String> {
        self.errors
            .lines()
            .map(|line| message(line).unwrap_or_else(|| line.into()))
            .collect()
    }

    /// The exit status must be this.
    pub fn must_end_with(self, status: i32) -> anyhow::Result<Ended> {
        ensure!(
            self.status() == status,
            "its exit status is {}, not {status}; it wrote {}; it said: {}",
            self.status(),
            told(&self.text()),
            self.errors
        );
        Ok(self)
    }

    /// Standard output must be exactly this.
    pub fn must_write(self, text: &str) -> anyhow::Result<Ended> {
        ensure!(
            self.text() == text,
            "it wrote {}{}, not {}; it said: {}",
            told(&self.text()),
            if self.text() == text.trim_end() {
                ", without the end of the line"
            } else {
                ""
            },
            told(text),
            self.errors
        );
        Ok(self)
    }

    /// The error must be one line, the last one, and contain all these words; but for it there
    /// may be the lines of the log.
    pub fn must_complain(self, words: &[&str]) -> anyhow::Result<Ended> {
        ensure!(!self.errors.contains("panicked"), "it panicked: {}", self.errors);
        let is_of_the_log = |line: &&str| message(line).is_some();
        let said: Vec<&str> = self.errors.lines().filter(|line| !is_of_the_log(line)).collect();
        let [error] = said[..] else {
            bail!("the error is not one line but {}; it said: {}", said.len(), self.errors)
        };
        for word in words {
            ensure!(
                error.contains(word),
                "the error is {}, and has not the words {}",
                told(error),
                told(word)
            );
        }
        Ok(self)
    }
}

/// The message of a line of the log in its plain form:
/// `+0.93ms parent[4242]    cloning: UTS      01-uts::spawn`.
fn message(line: &str) -> Option<String> {
    let (time, rest) = line.trim_start().strip_prefix('+')?.split_once(' ')?;
    let (who, rest) = rest.split_once(' ')?;
    let is_time = time.starts_with(|c: char| c.is_ascii_digit());
    let is_who = who.split_once('[').is_some_and(|(_, pid)| pid.ends_with(']'));
    let is_place = |place: &str| place.contains("::") && !place.contains(' ');
    let message = match rest.rsplit_once("  ") {
        Some((message, place)) if is_place(place) => message,
        _ => rest,
    };
    (is_time && is_who).then(|| message.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn ended(status: i32, errors: &str) -> Ended {
        Ended::new(ExitStatus::from_raw(status), Vec::new(), errors.into())
    }

    #[test]
    fn an_error_is_one_line_beside_the_log() {
        let log = " +0.93ms parent[4242]    cloning: UTS     01-uts::spawn\n";
        let complains = |text: &str| ended(0, text).must_complain(&["bad"]).is_ok();
        assert!(complains("01-uts: bad\n") && complains(&format!("{log}01-uts: bad\n{log}")));
        for wrong in
            ["", log, "01-uts: good\n", "01-uts: bad\nUsage: 01-uts\n", "bad, panicked at\n"]
        {
            assert!(!complains(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_message_has_no_columns_beside_it() {
        let said = |line: &str| message(line).unwrap_or_else(|| "nothing".into());
        let line = " +1.24s parent[4242]    cloning:  UTS::IPC     01-uts::spawn";
        assert_eq!(said(line), "cloning:  UTS::IPC");
        assert_eq!(said("+3m01s outside[4194304] removed a::b"), "removed a::b");
        for other in ["01-uts: bad", "+12 is a number", "+x parent[1] m", "a[1] +1ms m"] {
            assert_eq!(said(other), "nothing", "{other}");
        }
    }

    #[test]
    fn a_status_that_nobody_looked_at_is_found_out() {
        drop(ended(0, "").must_write(""));
        assert_eq!(nobody_looked_at().len(), 1);
        drop(ended(0, "").must_end_with(0));
        assert_eq!(nobody_looked_at(), Vec::<String>::new());
    }
}
