// ANCHOR: records
//! How does one event become one JSON object, and what is new of the process that writes it?
//!
//! ```text
//! {"elapsed_ms":0.93,"role":"child","pid":1,"level":"info","place":…,"message":…,"now":{…}}
//! ```
//!
//! `now` has the fields of `state` that have changed since this process's last
//! record, and null for one that cannot be read any more. The first record of a process has all
//! fields, and so has the first after an execve(2).

use std::{
    process,
    sync::{Mutex, PoisonError},
};

use log::Record;

use crate::{
    context::{self, Form},
    errors::LONGEST,
    log::{is_obeyed, milliseconds},
    state::{self, State},
};

/// A line of the log, as an object.
pub(crate) fn json(record: &Record) -> String {
    let level = record.level().as_str().to_lowercase();
    object(&[("level", &level), ("place", record.target())], &record.args().to_string())
}

/// An error that ends the stage, as an object.
pub(crate) fn error(message: &str) -> String {
    object(&[("level", "error")], message)
}

/// One object: when, who, these strings, the message, and what is new of this process. A pipe
/// takes 4096 bytes whole, so a message that is too long for that is cut.
fn object(strings: &[(&str, &str)], message: &str) -> String {
    let elapsed = milliseconds();
    let who = format!("\"role\":{},\"pid\":{}", quoted(&context::role()), process::id());
    let pair = |(key, text): &(&str, &str)| format!(",{}:{}", quoted(key), quoted(text));
    let strings: String = strings.iter().map(pair).collect();
    let now = news();
    let message = quoted_up_to(message, LONGEST.saturating_sub(now.len()));
    format!("{{\"elapsed_ms\":{elapsed},{who}{strings},\"message\":{message},\"now\":{now}}}")
}

/// What this process has told of itself, and whether it reads no more.
static TOLD: Mutex<(State, bool)> = Mutex::new((State::new(), false));

/// What was told is not told of this process: it is another one, of the same number perhaps.
pub(crate) fn of_another_process() {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).0.clear();
}

/// Reads for the last time how wide the terminal is, and in JSON what this process is: the records
/// after this one have nothing new. A filter of system calls may kill a process for what reading
/// takes (seccomp(2)).
pub fn read_for_the_last_time() {
    context::look_for_the_last_time();
    if context::form() == Form::Json {
        crate::debug!("from now on nothing of this process is read: a filter may kill it for that");
        TOLD.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
    }
}

/// The fields that are not as they were told, as an object.
fn news() -> String {
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let (before, is_final) = &mut *told;
    if *is_final {
        return "{}".into();
    }
    let now = state::read(&context::outside());
    let pid = |state: &State| state.iter().find(|(name, _)| *name == "pid").cloned();
    if pid(before) != pid(&now) {
        before.clear(); // this is a child that clone(2) made
    }
    let new = now.iter().filter(|field| !before.contains(field));
    let mut pieces: Vec<String> =
        new.map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
    let is_gone = |name| now.iter().all(|(other, _)| *other != name);
    let gone = before.iter().filter(|(name, _)| is_gone(*name));
    pieces.extend(gone.map(|(name, _)| format!("{}:null", quoted(name))));
    *before = now;
    format!("{{{}}}", pieces.join(","))
}

/// A string of JSON, with nothing in it that a terminal obeys, and cut.
pub(crate) fn quoted(text: &str) -> String {
    quoted_up_to(text, LONGEST)
}

/// Likewise, of about so many bytes at most.
fn quoted_up_to(text: &str, longest: usize) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            _ if quoted.len() > longest => {
                quoted += " …";
                break;
            }
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_obeyed(c) => quoted += &format!("\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
// ANCHOR_END: records

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_nothing_in_it_that_a_terminal_obeys_and_is_cut() {
        assert_eq!(quoted("ü\n\"\\\u{9b}\u{202e}"), r#""ü\u000a\"\\\u009b\u202e""#);
        assert!(quoted(&"\x1b".repeat(9000)).len() < 3020);
    }

    #[test]
    fn the_first_record_has_all_and_the_next_what_is_new() {
        let first = news();
        assert!(first.contains("\"uid\":") && first.contains("\"hostname\":"), "{first}");
        assert_eq!(news(), "{}");
        of_another_process();
        assert_eq!(news(), first);
    }
}
