//! What does the log in JSON say of each process?

use std::collections::HashMap;

use anyhow::{Context, ensure};
use tinyjson::{InnerAsRef, JsonValue};

use crate::told;

/// An object of JSON.
pub type Object = HashMap<String, JsonValue>;

/// A line of the log.
pub struct Record {
    /// Who: `parent`, `child`, …
    pub role: String,
    /// As it sees it itself.
    pub pid: u32,
    /// What happened.
    pub message: String,
    /// What is new of the process that wrote it; null is what it cannot read any more.
    pub now: Object,
}

/// Reads one line.
///
/// # Errors
///
/// It is no record.
pub fn parse(line: &str) -> anyhow::Result<Record> {
    let json = json(line)?;
    let read = || {
        Some(Record {
            role: string(&json, "role")?,
            pid: whole(*field(&json, "pid")?)?,
            message: string(&json, "message")?,
            now: field::<Object>(&json, "now")?.clone(),
        })
    };
    read().with_context(|| format!("{} has no role, pid, message or now", told(line)))
}

/// How deep JSON may be nested: its reader calls itself for each level, and a learner's stage may
/// write anything.
const DEEPEST: usize = 32;

/// Reads JSON.
///
/// # Errors
///
/// It is none, or nested too deep.
pub fn json(text: &str) -> anyhow::Result<JsonValue> {
    let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        ensure!(depth <= DEEPEST, "{} is nested too deep", told(text));
    }
    text.parse().with_context(|| format!("{} is no JSON", told(text)))
}

/// The number, if it is a whole one of 32 bits.
fn whole(number: f64) -> Option<u32> {
    let is_whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    is_whole.then_some(number as u32)
}

/// What the process in this role said last of each field.
///
/// # Errors
///
/// A line is no record; nobody speaks in this role.
pub fn last_of(log: &str, role: &str) -> anyhow::Result<Object> {
    let mut last = Object::new();
    for line in log.lines() {
        let record = parse(line)?;
        if record.role == role {
            last.extend(record.now);
        }
    }
    last.retain(|_, value| *value != JsonValue::Null);
    ensure!(!last.is_empty(), "no record is of the {role}");
    Ok(last)
}

/// A field of an object.
pub fn field<'a, T: InnerAsRef>(object: &'a JsonValue, name: &str) -> Option<&'a T> {
    object.get::<Object>()?.get(name)?.get()
}

fn string(object: &JsonValue, name: &str) -> Option<String> {
    field::<String>(object, name).cloned()
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_record_is_an_error() {
        let of_pid =
            |pid: &str| format!(r#"{{"role":"child","pid":{pid},"message":"","now":{{}}}}"#);
        assert_eq!(parse(&of_pid("4242")).ok().map(|record| record.pid), Some(4242));
        for pid in ["-1", "1.5", "4294967296", "1e300", "\"1\""] {
            assert!(parse(&of_pid(pid)).is_err(), "{pid}");
        }
        // The reader of JSON calls itself for each level.
        for line in ["[".repeat(100_000), r#"{"now":"#.repeat(100_000)] {
            assert!(parse(&line).is_err());
        }
    }
}
