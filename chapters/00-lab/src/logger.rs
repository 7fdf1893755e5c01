// ANCHOR: logger
//! How does one event become one line of the log?
//!
//! ```text
//! +0.93ms parent[4242] 05-user-idmap::write       wrote uid_map "0 1000 1" of 4243
//! ```
//!
//! The time since the parent's start, the role and the pid that the process itself
//! sees, the chapter and the function, and what happened. `RUST_LOG` chooses the level (default
//! `info`); colour is used on a terminal unless `NO_COLOR` is set.

use std::{
    io::{IsTerminal, Write},
    process,
};

use log::Record;
use tinyjson::JsonValue;

use crate::voice::{self, Log};

/// Sends the log to standard error, one write(2) a record, so that the lines of two
/// processes never tear.
pub(crate) fn start() {
    let colour = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let environment = env_logger::Env::default().default_filter_or("info");
    env_logger::Builder::from_env(environment)
        // env_logger collects what is written here and writes it out in one piece.
        .format(move |line, record| match voice::log() {
            Log::Json => writeln!(line, "{}", json(record)),
            _ => writeln!(line, "{}", plain(record, colour)),
        })
        .init();
    apply(voice::log());
}

/// Nothing is logged from now on if the log is off.
pub(crate) fn apply(log: Log) {
    if log == Log::Off {
        log::set_max_level(log::LevelFilter::Off);
    }
}

fn plain(record: &Record, colour: bool) -> String {
    let role = voice::role();
    let who = format!("{role}[{}]", process::id());
    let place = place(record.target());
    let elapsed = format!("+{:.2}ms", milliseconds());
    let (on, off) = if colour {
        (colour_of(&role), "\x1b[0m")
    } else {
        ("", "")
    };
    format!("{elapsed:>8} {on}{who:<12}{off} {place:<27} {}", record.args())
}

fn json(record: &Record) -> String {
    let place = place(record.target());
    let level = record.level().as_str().to_lowercase();
    object(&[("level", &level), ("place", &place), ("message", &record.args().to_string())])
}

/// An error that ends the stage, as a line of the log's own form.
pub(crate) fn error_line(message: &str) -> String {
    match voice::log() {
        Log::Json => object(&[("level", "error"), ("message", message)]),
        _ => format!("{}: {message}", voice::stage()),
    }
}

/// One JSON object: when, who, and these strings.
fn object(strings: &[(&str, &str)]) -> String {
    let quoted = |text: &str| JsonValue::String(text.to_owned()).stringify().unwrap_or_default();
    let who = format!("\"role\":{},\"pid\":{}", quoted(&voice::role()), process::id());
    let rest: String = strings
        .iter()
        .map(|(key, text)| format!(",{}:{}", quoted(key), quoted(text)))
        .collect();
    format!("{{\"elapsed_ms\":{},{who}{rest}}}", milliseconds())
}

fn milliseconds() -> f64 {
    (voice::elapsed().as_secs_f64() * 1e5).round() / 100.0
}

fn colour_of(role: &str) -> &'static str {
    match role {
        "parent" => "\x1b[36m",
        _ => "\x1b[33m",
    }
}

/// Writes a line of the log at the level `info`: what a reader of the book sees. A macro of the
/// log crate's, but with the function as the target.
#[macro_export]
macro_rules! info {
    ($($message:tt)+) => { $crate::log::info!(target: $crate::function!(), $($message)+) };
}

/// Likewise, at the level `warn`: what a person should look at.
#[macro_export]
macro_rules! warn {
    ($($message:tt)+) => { $crate::log::warn!(target: $crate::function!(), $($message)+) };
}

/// Likewise, at the level `debug`: seen with `RUST_LOG=debug`.
#[macro_export]
macro_rules! debug {
    ($($message:tt)+) => { $crate::log::debug!(target: $crate::function!(), $($message)+) };
}

/// The path of the function in which this macro stands: a place that stays the same when a line
/// above it is added. A function's type has the function's name.
#[doc(hidden)]
#[macro_export]
macro_rules! function {
    () => {{
        fn here() {}
        ::std::any::type_name_of_val(&here)
    }};
}

/// `ch06_reexec::registry::register::here` → `06-reexec::register`: the chapter and the function.
fn place(path: &str) -> String {
    let path = path.trim_end_matches("::here").trim_start_matches('<');
    let krate = path.split("::").next().unwrap_or(path);
    let function = path.rsplit("::").find(|part| *part != "{{closure}}").unwrap_or(path);
    let numbered = |name: &&str| name.starts_with(|c: char| c.is_ascii_digit());
    let chapter = krate.strip_prefix("ch").filter(numbered).unwrap_or(krate).replace('_', "-");
    let chapter = if chapter == "lab" { "00-lab" } else { &chapter };
    format!("{chapter}::{function}")
}
// ANCHOR_END: logger

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_place_is_the_chapter_and_the_function() {
        assert_eq!(place("ch06_reexec::register::here"), "06-reexec::register");
        assert_eq!(place("06_reexec::main::{{closure}}::here"), "06-reexec::main");
        assert_eq!(
            place("<ch09_aufs::layers::Root as core::ops::drop::Drop>::drop::here"),
            "09-aufs::drop"
        );
        assert_eq!(place("ch01_uts::process::Child::end::here"), "01-uts::end");
        assert_eq!(place("lab::exec::become_command::here"), "00-lab::become_command");
        assert_eq!(place(crate::function!()), "00-lab::a_place_is_the_chapter_and_the_function");
    }
}
