//! When are two outputs the same but for names?
//!
//! A pid, the inode of a namespace, a random hostname or key differ from run to run, but
//! where one of them stands twice it must stand twice again. So each value gets a letter
//! in order of first appearance, over the whole transcript: the same value the same
//! letter, a different value a different one. A time says nothing again: it becomes a word.
//!
//! The patterns are in names.json, for the machine in the book's pages renames in the same way
//! (book/machine/page/compare.js):
//!
//! - `replaced`: a log line; the head of chapter 10's `ps`, as wide as what is below it; an entry
//!   of chapter 10, with a start time and an inode number; the number of a boot; the time of a
//!   record.
//! - `lettered`: the inode of a namespace, as a link in /proc/PID/ns has it and as a record has it;
//!   a random hostname; a key of System V; the length of a filter.
//! - `pids`: what stands at the place of a pid in the log, in /proc, and in what the book's
//!   commands print.
//! - `kept`: a line of an id map, in the log and as a file has it: a pid may be the same number as
//!   an id.

use std::collections::BTreeMap;

use regex::{Captures, Regex};
use tinyjson::JsonValue;

/// The patterns.
const NAMES: &str = include_str!("names.json");

/// What a log line begins with, in any form: time, role, pid.
const SPEAKER: &str = r"^ *\+[0-9][0-9a-z.]* ([a-z]+\[[0-9]+\]) +";

/// Smaller numbers are pids inside: PID 1 and those after it are the same in every run.
const FIRST_PID_OUTSIDE: u32 = 100;

/// The text with letters for names.
pub fn rename(text: &str) -> String {
    let names: JsonValue = NAMES.parse().expect("names.json is JSON");
    // A tab in a record, before a number.
    let mut text = text.replace(r"\t", " ");
    for (pattern, with) in pairs(&names["replaced"]) {
        text = lines(pattern).replace_all(&text, with).into_owned();
    }
    for (pattern, kind) in pairs(&names["lettered"]) {
        text = by_letter(&text, pattern, kind);
    }
    pids(&text, &names)
}

fn pairs(list: &JsonValue) -> impl Iterator<Item = (&str, &str)> {
    let list: &Vec<JsonValue> = list.get().expect("names.json has a list there");
    list.iter().map(|pair| (string(&pair[0]), string(&pair[1])))
}

fn string(value: &JsonValue) -> &str {
    value.get::<String>().expect("names.json has a string there")
}

/// `^` and `$` are the beginning and the end of a line.
fn lines(pattern: &str) -> Regex {
    Regex::new(&format!("(?m){pattern}")).expect("names.json has patterns")
}

/// Who writes the lines of a log: `parent[4242]`.
pub fn speakers(text: &str) -> impl Iterator<Item = &str> {
    let log = Regex::new(SPEAKER).unwrap();
    let speaker = move |line| Some(log.captures(line)?.get(1)?.as_str());
    text.lines().filter_map(speaker)
}

const NUMBER: &str = r"\b[0-9]+\b";

/// Gives each value of the pattern's group a letter, and puts it in the value's place.
fn by_letter(text: &str, pattern: &str, kind: &str) -> String {
    let mut letters = BTreeMap::new();
    let put = |captures: &Captures| {
        let name = letter(&mut letters, &captures[1], kind);
        captures[0].replace(&captures[1], &name)
    };
    lines(pattern).replace_all(text, put).into_owned()
}

/// A pid is known by the places it stands in, and then it is renamed wherever it stands:
/// an `echo $$` prints a mere number.
fn pids(text: &str, names: &JsonValue) -> String {
    let mut known: Vec<&str> = Vec::new();
    let patterns: &Vec<JsonValue> = names["pids"].get().expect("names.json has a list there");
    for pattern in patterns {
        for captures in lines(string(pattern)).captures_iter(text) {
            known.extend(captures.get(1).map(|value| value.as_str()));
        }
    }
    known.retain(|pid| pid.parse().is_ok_and(|pid: u32| pid >= FIRST_PID_OUTSIDE));
    let mut letters = BTreeMap::new();
    let put = |found: &Captures| match &found[0] {
        pid if known.contains(&pid) => letter(&mut letters, pid, "PID"),
        number => number.to_owned(),
    };
    // What is found first is taken whole, so a map's numbers stay.
    let numbers = format!("{}|{NUMBER}", string(&names["kept"]));
    lines(&numbers).replace_all(text, put).into_owned()
}

/// The value's letter: A, B, …, Z, and then numbers.
fn letter(letters: &mut BTreeMap<String, String>, value: &str, kind: &str) -> String {
    let next = letters.len();
    let name = || match u8::try_from(next) {
        Ok(next @ 0..26) => format!("{kind}-{}", char::from(b'A' + next)),
        _ => format!("{kind}-{next}"),
    };
    letters.entry(value.to_owned()).or_insert_with(name).clone()
}
