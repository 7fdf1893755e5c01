//! When are two outputs the same but for names?
//!
//! A pid, the inode of a namespace, a random hostname or key differ from run to run, but
//! where one of them stands twice it must stand twice again. So each value gets a letter
//! in order of first appearance, over the whole transcript: the same value the same
//! letter, a different value a different one. A time says nothing again: it becomes a word.

use std::collections::BTreeMap;

use regex::{Captures, Regex};

/// A log line: time, role, pid, message, place, in columns.
const LOG: &str = r"(?m)^ *\+[0-9][0-9a-z.]* ([a-z]+\[[0-9]+\]) +(.*?)(?: {2,}(\d\d-\S+::\S+))?$";

/// What a log line begins with, in any form: time, role, pid.
const SPEAKER: &str = r"^ *\+[0-9][0-9a-z.]* ([a-z]+\[[0-9]+\]) +";

/// A time in a record.
const ELAPSED: &str = r#""elapsed_ms":[0-9.]+"#;

/// The inode of a namespace, as a link in /proc/PID/ns has it and as a record has it.
const NAMESPACE: &str = r#"(?:\b[a-z_]+:\[|"[a-z]+":)([0-9]{10})\b"#;

/// What stands at the place of a pid in the log, in /proc, and in what the book's commands print.
const PIDS: [&str; 16] = [
    r#""(?:pid|outside)":([0-9]+)"#,
    r"\b(?:parent|keeper|helper|child|init|outside|inside)\[([0-9]+)\]",
    r"/proc/([0-9]+)\b",
    r"\b([0-9]+) in the host's /proc",
    r"(?m) ([0-9]+) ended with ",
    r#"(?m)" (?:of|for) ([0-9]+)(?:$|[:"]|  )"#,
    r"\b[Pp][Ii][Dd]:?\s+([0-9]+)\b",
    r"\bmoved ([0-9]+) into ",
    r"\btarget ([0-9]+),",
    r"\bprocess ([0-9]+)\b",
    r"\bINIT(?: is|:) ([0-9]+)\b",
    r"\brecorded: ([0-9]+) is",
    r"(?m)^[a-z]+ +([0-9]+)  ",
    r"(?m)^(?:run|container) ([0-9]+) START ",
    r"\bN[Ss]pid:\s+([0-9]+)\b",
    r"(?m)^ *([0-9]+) (?:\?|pts/[0-9]+) ",
];

/// The head of chapter 10's `ps`, whose columns are as wide as the names and pids below it.
const PS: &str = r"(?m)^NAME +PID +COMMAND$";

/// An entry of chapter 10: a pid, its start time and its inode number, which two processes may
/// share or not. They say nothing again, and neither does the number of the boot.
const ENTRY: &str = r"(?m)^(run|container) ([0-9]+) [0-9]+ [0-9]+$";
const BOOT: &str = r"(?m)^boot [0-9a-f-]{36}$";

/// A line of an id map, in the log and as a file has it: a pid may be the same number as an id.
const MAP: &str =
    r#""[0-9]+ [0-9]+ [0-9]+|\b[ug]id [0-9]+(?: is [0-9]+)?|(?m)^ *[0-9]+ +[0-9]+ +[0-9]+$"#;

/// Smaller numbers are pids inside: PID 1 and those after it are the same in every run.
const FIRST_PID_OUTSIDE: u32 = 100;

/// The text with letters for names.
pub fn rename(text: &str) -> String {
    // A tab in a record, before a number.
    let text = text.replace(r"\t", " ");
    let text = Regex::new(LOG).unwrap().replace_all(&text, "+TIME $1 $2  $3");
    let text = Regex::new(PS).unwrap().replace_all(&text, "NAME PID COMMAND");
    let text = Regex::new(ENTRY).unwrap().replace_all(&text, "$1 $2 START INODE");
    let text = Regex::new(BOOT).unwrap().replace_all(&text, "boot BOOT");
    let text = Regex::new(ELAPSED).unwrap().replace_all(&text, r#""elapsed_ms":TIME"#);
    let text = by_letter(&text, NAMESPACE, "NAMESPACE");
    let text = by_letter(&text, r"\bcontainer-([0-9a-f]{8})\b", "RANDOM");
    let text = by_letter(&text, r"\b0x([0-9a-f]{8})\b", "KEY");
    let text = by_letter(&text, r"\bfilter: ([0-9]+) instructions\b", "LENGTH");
    pids(&text)
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
    Regex::new(pattern).unwrap().replace_all(text, put).into_owned()
}

/// A pid is known by the places it stands in, and then it is renamed wherever it stands:
/// an `echo $$` prints a mere number.
fn pids(text: &str) -> String {
    let mut known: Vec<&str> = Vec::new();
    for pattern in PIDS {
        for captures in Regex::new(pattern).unwrap().captures_iter(text) {
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
    let numbers = format!("{MAP}|{NUMBER}");
    Regex::new(&numbers).unwrap().replace_all(text, put).into_owned()
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
