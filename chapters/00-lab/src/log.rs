// ANCHOR: log
//! How does one event become one line of the log?
//!
//! ```text
//!  +0.93ms parent[4242]    opening the gate                              05-user-idmap::open
//! ```
//!
//! The time since the parent's start, the role and the pid that the process itself sees, what
//! happened, and the chapter and the function. The log is short: it has the level `info`, a line
//! for each idea. `-v` shows all, and `RUST_LOG` chooses as it does elsewhere.

use std::{
    io::{self, Write, stderr},
    os::fd::AsFd,
    process,
    sync::{Mutex, PoisonError},
};

use log::{Level, LevelFilter, Log, Metadata, Record};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::stat::{SFlag, fstat},
};

use crate::{
    context::{self, Form},
    errors::cut,
    line::Line,
    records,
};

/// Sends the log to standard error, one write(2) a record, cut to less than 4096 bytes: into a pipe
/// it goes whole however many processes write, and does not block where poll(2) sees room
/// (PIPE_BUF, pipe(7)).
pub(crate) fn start() {
    context::form(); // what is outside is noted before anything is cloned
    let is_asked = std::env::var_os("RUST_LOG").is_some_and(|filter| !filter.is_empty());
    let logger = Logger {
        asked: is_asked.then(|| env_logger::Builder::from_env("RUST_LOG").build()),
        out: Mutex::new(Impatient::new()),
    };
    if ::log::set_boxed_logger(Box::new(logger)).is_ok() {
        skip_all_if_off();
    }
}

/// Where the log is off, its lines are not even put together.
pub(crate) fn skip_all_if_off() {
    ::log::set_max_level(match context::form() {
        Form::Off => LevelFilter::Off,
        _ => LevelFilter::Trace,
    });
}

/// Whether the log is on. If it is off, nothing need be found out only to be logged.
pub fn is_on() -> bool {
    ::log::max_level() > LevelFilter::Off
}

struct Logger {
    /// What `RUST_LOG` asks for.
    asked: Option<env_logger::Logger>,
    out: Mutex<Impatient>,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata) -> bool {
        match (context::form(), &self.asked) {
            (Form::Off, _) => false,
            (Form::Verbose, _) | (Form::Json, None) => true,
            (Form::Plain, None) if context::is_in_detail() => metadata.level() <= Level::Warn,
            (Form::Plain, None) => metadata.level() <= Level::Info,
            (Form::Plain | Form::Json, Some(filter)) => filter.enabled(metadata),
        }
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = match context::form() {
            Form::Json => records::json(record) + "\n",
            _ => plain(record),
        };
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // Where not even the log can be written, there is no place to say so.
        let _ = out.write(line.as_bytes());
    }

    fn flush(&self) {}
}

/// Whether a person reads the log, and wants to.
pub(crate) fn says_something() -> bool {
    context::form() != Form::Json && ::log::log_enabled!(target: "00-lab::log", Level::Info)
}

fn plain(record: &Record) -> String {
    let line = Line {
        elapsed: context::elapsed(),
        role: &context::role(),
        pid: process::id(),
        level: record.level(),
        message: &cut(&visible(&record.args().to_string())),
        place: record.target(),
    };
    let look = context::look();
    line.shown(look) + look.end()
}

/// An error that ends the stage, as a line of the log's own form.
pub(crate) fn error_line(message: &str) -> String {
    match context::form() {
        Form::Json => records::error(message) + "\n",
        _ => {
            let text = format!("{}: {}", context::stage(), cut(&visible(message)));
            context::look().error(&text) + context::look().end()
        }
    }
}

pub(crate) fn milliseconds() -> f64 {
    (context::elapsed().as_secs_f64() * 1e5).round() / 100.0
}
// ANCHOR_END: log

// ANCHOR: visible
/// The text on one line, with nothing in it that a terminal obeys. A container chooses file names
/// and hostnames: written as they are, they could forge a line of the log.
pub fn visible(text: &str) -> String {
    let one = |c: char| match is_obeyed(c) {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(one).collect()
}

/// A control character; or one that turns the direction of writing, or joins and hides others.
pub(crate) fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// Standard error, but a line that nobody takes is dropped after a moment: a process that waits
/// for its container must not be stopped by a pipe that is full.
struct Impatient {
    may_block: bool,
    dropped: u32,
}

impl Impatient {
    /// In milliseconds, for the first line that is not taken; those after it do not wait.
    const MOMENT: u16 = 200;

    fn new() -> Impatient {
        let kind = fstat(stderr()).map(|stat| SFlag::from_bits_truncate(stat.st_mode));
        let is_file = kind.is_ok_and(|kind| kind & SFlag::S_IFMT == SFlag::S_IFREG);
        Impatient {
            may_block: !is_file,
            dropped: 0,
        }
    }

    fn is_taken(&self) -> bool {
        let patience = if self.dropped == 0 { Self::MOMENT } else { 0 };
        let stream = stderr();
        let mut watched = [PollFd::new(stream.as_fd(), PollFlags::POLLOUT)];
        // Where it cannot be asked, the write itself will say what is wrong.
        poll(&mut watched, PollTimeout::from(patience)).map_or(true, |ready| ready > 0)
    }
}

impl Write for Impatient {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.may_block && !self.is_taken() {
            self.dropped += 1;
            return Ok(line.len());
        }
        if self.dropped > 0 {
            let lost = format!("(nobody read standard error: {} lines are lost)\n", self.dropped);
            self.dropped = 0;
            stderr().write_all(&[lost.as_bytes(), line].concat())?;
        } else {
            stderr().write_all(line)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the error that ends the stage.
pub(crate) fn write_error(message: &str) {
    write(&error_line(message));
}

/// Writes whole lines to standard error, in one write(2) and as impatiently.
pub(crate) fn write(lines: &str) {
    // Where even this cannot be written, the exit status is all that is left to say it.
    let _ = Impatient::new().write(lines.as_bytes());
}
// ANCHOR_END: visible

// ANCHOR: macros
/// Writes a line of the log at the level `info`: what a reader sees at once, one line for an idea.
/// A macro of the log crate's, but with the place as the target.
#[macro_export]
macro_rules! info {
    ($($message:tt)+) => { $crate::log_crate::info!(target: &$crate::place!(), $($message)+) };
}

/// Likewise, at the level `warn`: what a person should look at.
#[macro_export]
macro_rules! warn {
    ($($message:tt)+) => { $crate::log_crate::warn!(target: &$crate::place!(), $($message)+) };
}

/// Likewise, at the level `debug`: all the rest, seen with `-v`.
#[macro_export]
macro_rules! debug {
    ($($message:tt)+) => { $crate::log_crate::debug!(target: &$crate::place!(), $($message)+) };
}

/// The chapter and the function in which this macro stands: a place that stays the same when a line
/// above it is added. A function's type has the function's name.
#[doc(hidden)]
#[macro_export]
macro_rules! place {
    () => {{
        fn here() {}
        $crate::log::place(env!("CARGO_PKG_NAME"), ::std::any::type_name_of_val(&here))
    }};
}

/// `ch06-reexec`, `ch06_reexec::registry::register::here` → `06-reexec::register`: what a program
/// of a chapter writes is of this chapter, too.
#[doc(hidden)]
pub fn place(package: &str, path: &str) -> String {
    let path = path.trim_end_matches("::here").trim_start_matches('<');
    let function = path.rsplit("::").find(|part| *part != "{{closure}}").unwrap_or(path);
    let chapter = match package {
        "lab" => "00-lab",
        other => other.strip_prefix("ch").unwrap_or(other),
    };
    format!("{chapter}::{function}")
}
// ANCHOR_END: macros

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_chapter_and_the_function() {
        let of_chapter = |path| place("ch06-reexec", path);
        assert_eq!(of_chapter("ch06_reexec::register::here"), "06-reexec::register");
        assert_eq!(of_chapter("06_reexec::main::{{closure}}::here"), "06-reexec::main");
        assert_eq!(of_chapter("reexec_usage::parent::here"), "06-reexec::parent");
        let of_drop = "<ch09_aufs::layers::Root as core::ops::drop::Drop>::drop::here";
        assert_eq!(place("ch09-aufs", of_drop), "09-aufs::drop");
        assert_eq!(place("lab", "rootfs::main::{{closure}}::here"), "00-lab::main");
        let own = "00-lab::a_place_is_the_chapter_and_the_function";
        assert_eq!(crate::place!(), own);
    }

    #[test]
    fn nothing_in_a_name_forges_a_line_or_commands_a_terminal() {
        assert_eq!(visible("a b: ü\u{1f600}"), "a b: ü\u{1f600}");
        assert_eq!(visible("x\n+0.1ms\x1b[2J\u{9b}2J"), r"x\n+0.1ms\u{1b}[2J\u{9b}2J");
        assert_eq!(visible("\u{202e}gnp.exe"), r"\u{202e}gnp.exe");
    }
}
