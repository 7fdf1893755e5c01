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
    let json: JsonValue = line.parse().with_context(|| format!("{} is no JSON", told(line)))?;
    let read = || {
        Some(Record {
            role: string(&json, "role")?,
            pid: *field::<f64>(&json, "pid")? as u32,
            message: string(&json, "message")?,
            now: field::<Object>(&json, "now")?.clone(),
        })
    };
    read().with_context(|| format!("{} has no role, pid, message or now", told(line)))
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
