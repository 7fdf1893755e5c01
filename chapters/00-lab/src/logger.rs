// ANCHOR: logger
//! How does one event become one line of the log?
//!
//! ```text
//! +0.93ms parent[4242] 05-user-idmap/write.rs:77 wrote uid_map "0 1000 1" of 4243
//! ```
//!
//! The time since the parent's start, the role and the pid that the process itself
//! sees, the file and line, and what happened. `RUST_LOG` chooses the level (default
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
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
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
    let place = place(&voice::stage(), record.file().unwrap_or("?"), record.line().unwrap_or(0));
    let elapsed = format!("+{:.2}ms", milliseconds());
    let (on, off) = if colour { (colour_of(&role), "\x1b[0m") } else { ("", "") };
    format!("{elapsed:>8} {on}{who:<12}{off} {place:<22} {}", record.args())
}

fn json(record: &Record) -> String {
    let place = place(&voice::stage(), record.file().unwrap_or("?"), record.line().unwrap_or(0));
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
    let rest: String = strings.iter().map(|(key, text)| format!(",{}:{}", quoted(key), quoted(text))).collect();
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

/// `chapters/06-reexec/src/main.rs`, 41 → `06-reexec/main.rs:41`: from the chapter's folder on.
/// A crate in a workspace of its own knows its files as `src/…`: they are the stage's.
fn place(stage: &str, file: &str, line: u32) -> String {
    let is_chapter = |folder: &&str| folder.starts_with(|c: char| c.is_ascii_digit()) && folder.contains('-');
    let parts: Vec<&str> = file.split('/').collect();
    let parts = match parts.iter().position(is_chapter) {
        Some(from) => parts[from..].to_vec(),
        None => [&[stage], &parts[..]].concat(),
    };
    let shown: Vec<&str> = parts.into_iter().filter(|part| *part != "src").collect();
    format!("{}:{line}", shown.join("/"))
}
// ANCHOR_END: logger

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_place_is_the_chapter_and_the_file() {
        let place = |file, line| place("04-mount", file, line);
        assert_eq!(place("chapters/06-reexec/src/main.rs", 41), "06-reexec/main.rs:41");
        assert_eq!(place("/somewhere/workshop/03-pid/src/lib.rs", 7), "03-pid/lib.rs:7");
        assert_eq!(place("chapters/06-reexec/examples/demo.rs", 7), "06-reexec/examples/demo.rs:7");
        assert_eq!(place("src/main.rs", 1), "04-mount/main.rs:1");
    }
}
