// ANCHOR: errors
//! How does an error reach a person once, with the right exit status?
//!
//! | status | meaning |
//! |---|---|
//! | 0 to 255 | the command's own |
//! | 128+N | signal N ended the command |
//! | 125 | the runtime failed |
//! | 126 | the command was found, but could not be executed |
//! | 127 | the command was not found |
//! | 2 | bad usage |
//!
//! An error is returned up to [`crate::run`], which prints one line. An error of a child
//! before its execve(2) goes through a close-on-exec pipe instead: the parent reads it
//! after the child's end and returns it as its own. A successful execve closes the pipe
//! and the parent reads nothing: that is how it knows.

use std::{
    fmt,
    io::{self, PipeReader, Read, Write},
};

use nix::sys::signal::Signal;

use crate::{logger, voice};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Exit {
    /// It called exit(3) with this status.
    Code(u8),
    /// This signal ended it.
    Signal(Signal),
}

impl Exit {
    /// The exit status that tells a shell the same: 128+N for signal N.
    pub fn status(self) -> u8 {
        match self {
            Exit::Code(code) => code,
            Exit::Signal(signal) => 128 + signal as u8,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Exit::Code(code) => write!(f, "status {code}"),
            Exit::Signal(signal) => write!(f, "signal {} ({signal})", *signal as i32),
        }
    }
}

/// An error that knows its exit status. Any other error means 125.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit status of the runtime.
    pub status: u8,
    /// One line: what failed, on which object, why, and the way out.
    pub message: String,
}

impl Failure {
    /// The runtime failed (125).
    pub const RUNTIME: u8 = 125;
    /// The command cannot be executed (126).
    pub const NOT_EXECUTABLE: u8 = 126;
    /// There is no such command (127).
    pub const NOT_FOUND: u8 = 127;
    /// Bad usage (2), as clap has it.
    pub const USAGE: u8 = 2;

    /// The statuses that an error may have: an error is never success.
    const STATUSES: [u8; 4] = [Self::RUNTIME, Self::NOT_EXECUTABLE, Self::NOT_FOUND, Self::USAGE];

    /// Bad usage that the command line parser alone cannot see.
    pub fn usage(message: impl Into<String>) -> anyhow::Error {
        Failure {
            status: Self::USAGE,
            message: message.into(),
        }
        .into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Reports an error where it belongs, once: into the pipe to the parent if this process
/// has one, else as one line to standard error. Returns the exit status.
pub fn report(error: &anyhow::Error) -> u8 {
    let status = error
        .downcast_ref::<Failure>()
        .map_or(Failure::RUNTIME, |failure| failure.status);
    let message = format!("{error:#}").replace('\n', " ");
    // Where even the report cannot be written, the exit status is all that is left to say it.
    let _ = match voice::error_pipe() {
        Some(mut pipe) => pipe.write_all(format!("{status} {message}").as_bytes()),
        // In one write(2), as a line of the log is.
        None => io::stderr().write_all(format!("{}\n", logger::error_line(&message)).as_bytes()),
    };
    status
}

/// One line of what clap says of a command line in several paragraphs: the error, then `  tip: …`,
/// `Usage: …`, and a word about `--help`.
pub(crate) fn of_usage(text: &str) -> String {
    let one_line = |paragraph: &str| paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let (tips, rest): (Vec<&str>, Vec<&str>) = text
        .split("\n\n")
        .partition(|paragraph| paragraph.trim_start().starts_with("tip: "));
    let error = one_line(rest.first().unwrap_or(&text)).replacen("error: ", "", 1);
    let tips: Vec<String> = tips.into_iter().map(|tip| format!(" ({})", one_line(tip))).collect();
    format!("{error}{}: `--help` lists what there is", tips.concat())
}

/// Reads what a child that has ended wrote with [`report`]; `None` if it wrote nothing.
pub fn received(mut pipe: PipeReader) -> io::Result<Option<Failure>> {
    let mut text = String::new();
    pipe.read_to_string(&mut text)?;
    Ok(text.split_once(' ').map(|(status, message)| Failure {
        status: status
            .parse()
            .ok()
            .filter(|status| Failure::STATUSES.contains(status))
            .unwrap_or(Failure::RUNTIME),
        message: message.to_owned(),
    }))
}
// ANCHOR_END: errors

#[cfg(test)]
mod tests {
    use super::of_usage;

    #[test]
    fn bad_usage_is_one_line() {
        let clap = "error: unexpected argument '--hostnam' found\n\n  tip: a similar argument \
                    exists: '--hostname'\n\nUsage: 01-uts [OPTIONS]\n\nFor more, try '--help'.\n";
        assert_eq!(
            of_usage(clap),
            "unexpected argument '--hostnam' found (tip: a similar argument exists: '--hostname'): \
             `--help` lists what there is"
        );
        let clap = "error: invalid value 'x' for '--log-format <FORMAT>'\n  [possible values: \
                    plain, json]\n\nFor more, try '--help'.\n";
        let expected =
            "invalid value 'x' for '--log-format <FORMAT>' [possible values: plain, json]";
        assert!(of_usage(clap).starts_with(expected));
    }
}
