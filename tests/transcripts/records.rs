//! A transcript once more, as records: what the page's diagram is drawn from.
//!
//! Beside `NAME.console` stands `NAME.jsonl`, if a command of it has two processes that speak. Each
//! line is an object: `{"command": …}` and `{"output": …}` for what a person types and what is
//! printed, and the log's own records (`LAB_LOG=json`). What differs from machine to machine and is
//! no name is left out: the host's file systems and cgroups, and what its users may.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::Context;
use judge::records::Object;
use regex::{Captures, Regex};
use tinyjson::JsonValue;

use crate::{
    renaming,
    transcript::{Transcript, prompt},
};

/// What makes every stage write records.
pub const VARIABLE: (&str, &str) = ("LAB_LOG", "json");

/// What a record begins with.
const RECORD: &str = r#"{"elapsed_ms":"#;

/// Where the records of a transcript are kept.
pub fn file_of(console: &Path) -> PathBuf {
    console.with_extension("jsonl")
}

/// Whether a diagram can be drawn of it: in one of its commands several processes speak, and no
/// program takes lines away.
pub fn are_wanted(transcript: &Transcript) -> bool {
    transcript.steps.iter().any(|step| {
        let filtered = step.command.split("2>&1 |").skip(1).any(|to| !to.starts_with(" cat"));
        let speakers: BTreeSet<&str> = renaming::speakers(&step.output).collect();
        speakers.len() > 1 && !filtered
    })
}

/// The file's text for what was printed with [`VARIABLE`] set.
///
/// # Errors
///
/// A record is no JSON.
pub fn render(transcript: &Transcript) -> anyhow::Result<String> {
    let mut text = String::new();
    for step in &transcript.steps {
        let command = format!("{}{}", prompt(&transcript.who), step.command.replace('\n', "\n> "));
        text += &object("command", &command)?;
        for line in step.output.lines() {
            text += &match line.starts_with(RECORD) {
                true => as_on_any_machine(line, &step.command, &transcript.who)? + "\n",
                false => object("output", line)?,
            };
        }
        if step.status != 0 {
            text += &object("output", &format!("[exit status {}]", step.status))?;
        }
    }
    // In a page's script, this would begin a tag.
    Ok(text.replace('<', r"\u003c"))
}

/// The kernel may give the number of a namespace that has ended to a new one. A number is a new
/// one's if all processes that had it in these records have ended: then it gets another here.
pub fn apart(records: &str) -> String {
    let pid = Regex::new(r#""pid":(\d+)"#).unwrap();
    let ended = Regex::new(r#""message":"(\d+) ended with "#).unwrap();
    let namespace = Regex::new(r#""[a-z]+":(\d{10})\b"#).unwrap();
    let mut holders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut others: BTreeMap<String, u64> = BTreeMap::new();
    let mut next = 9_000_000_000_u64;
    let mut apart = String::new();
    for line in records.split_inclusive('\n') {
        let speaker = pid.captures(line).map(|found| found[1].to_owned()).unwrap_or_default();
        if let Some(found) = ended.captures(line) {
            holders.values_mut().for_each(|pids| pids.retain(|one| *one != found[1]));
        }
        apart += &namespace.replace_all(line, |found: &Captures| {
            let number = found[1].to_owned();
            let pids = holders.entry(number.clone()).or_insert_with(|| [speaker.clone()].into());
            if pids.is_empty() {
                others.insert(number.clone(), next);
                next += 1;
            }
            pids.insert(speaker.clone());
            match others.get(&number) {
                Some(other) => found[0].replace(&number, &other.to_string()),
                None => found[0].to_owned(),
            }
        });
    }
    apart
}

/// An object with one string.
fn object(name: &str, text: &str) -> anyhow::Result<String> {
    let text = JsonValue::from(text.to_owned()).stringify()?;
    Ok(format!("{{\"{name}\":{text}}}\n"))
}

/// A record without what is the machine's own.
fn as_on_any_machine(record: &str, command: &str, who: &str) -> anyhow::Result<String> {
    let mut record: JsonValue = record.parse().with_context(|| format!("no JSON: {record}"))?;
    let fields: &mut Object = record.get_mut().context("a record is an object")?;
    let is_parents = fields.get("role") == Some(&JsonValue::from("parent".to_owned()));
    let now: &mut Object = fields.get_mut("now").and_then(JsonValue::get_mut).context("no now")?;
    // The one clock that no chapter changes, and that older kernels have no namespace of.
    part(now, "namespaces").and_then(|all| all.remove("time"));
    let of_the_host = |part: &Object| part.get("same") == Some(&JsonValue::from(true));
    if let Some(root) = part(now, "root")
        && (of_the_host(root) || !command.contains("--driver overlay"))
    {
        root.remove("type");
    }
    if let Some(network) = part(now, "network")
        && of_the_host(network)
    {
        network.remove("lo");
    }
    // Where the cgroups of a user are.
    let message = fields.get("message").and_then(|message| message.get::<String>());
    let folder = Regex::new(r"/sys/fs/cgroup/(?:\S*/)?container-")?;
    let message = message.map(|message| folder.replace(message, "…/container-").into_owned());
    fields.extend(message.map(|message| ("message".into(), JsonValue::from(message))));
    let now = part(fields, "now").context("no now")?;
    // A container's own is `…/container-NUMBER`.
    let group = now.remove("cgroup").and_then(|group| group.get::<String>().cloned());
    let group = group.as_deref().and_then(|group| group.rsplit_once("/container-"));
    if let Some((_, number)) = group {
        now.insert("cgroup".into(), JsonValue::from(format!("…/container-{number}")));
    }
    if who == "both" {
        now.remove("uid");
        now.remove("gid");
    }
    if who == "both" || who == "root" && is_parents {
        now.remove("capabilities");
    }
    in_order(&record)
}

fn part<'a>(now: &'a mut Object, name: &str) -> Option<&'a mut Object> {
    now.get_mut(name)?.get_mut()
}

/// How the fields are ordered, of all objects in a record.
const ORDER: [&str; 25] = [
    "elapsed_ms",
    "role",
    "program",
    "pid",
    "outside",
    "level",
    "place",
    "message",
    "now",
    "uid",
    "gid",
    "capabilities",
    "hostname",
    "root",
    "same",
    "type",
    "network",
    "lo",
    "cgroup",
    "namespaces",
    "user",
    "mnt",
    "uts",
    "ipc",
    "net",
];

fn in_order(value: &JsonValue) -> anyhow::Result<String> {
    let JsonValue::Object(fields) = value else {
        return Ok(value.stringify()?);
    };
    let mut names: Vec<&String> = fields.keys().collect();
    names.sort_by_key(|name| (ORDER.iter().position(|other| other == name), name.as_str()));
    let pieces: Vec<String> = names
        .into_iter()
        .map(|name| anyhow::Ok(format!("\"{name}\":{}", in_order(&fields[name])?)))
        .collect::<anyhow::Result<_>>()?;
    Ok(format!("{{{}}}", pieces.join(",")))
}
