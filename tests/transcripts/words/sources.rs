//! Where are shell scripts in the repository?

use std::{fs, path::Path};

use anyhow::Context;
use regex::Regex;

use super::wrappers::{A_STAGE, is_stage};
use crate::{page::files_in, transcript::Transcript};

/// Every script, with the file that it is in.
pub fn scripts(workspace: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut add = |folder: &str, ending: &str, of: fn(&str) -> anyhow::Result<Vec<String>>| {
        let mut files = Vec::new();
        files_in(&workspace.join(folder), ending, &mut files)?;
        for file in files {
            let place = file.strip_prefix(workspace)?.display().to_string();
            let text = fs::read_to_string(&file).with_context(|| format!("read {place}"))?;
            for script in of(&text).with_context(|| place.clone())? {
                found.push((place.clone(), script));
            }
        }
        anyhow::Ok(())
    };
    add("book/src/transcripts", "console", in_transcript)?;
    add("book/src", "md", in_markdown)?;
    add("chapters", "md", in_markdown)?;
    add("tests/src/checks", "rs", in_rust)?;
    Ok(found)
}

fn in_transcript(text: &str) -> anyhow::Result<Vec<String>> {
    Ok(Transcript::parse(text)?.steps.into_iter().map(|step| step.command).collect())
}

/// The lines of blocks of shell, and what stands as code in a line and begins as a command.
fn in_markdown(text: &str) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut block: Option<&str> = None;
    let inline = Regex::new("`([^`]+)`|<code>([^<]+)</code>")?;
    for line in text.lines() {
        match (line.trim().strip_prefix("```"), block) {
            (Some(_), Some(_)) => block = None,
            (Some(info), None) => block = Some(info),
            (None, Some("sh")) => found.push(line.to_owned()),
            (None, Some(_)) => {}
            (None, None) => {
                let codes =
                    inline.captures_iter(line).filter_map(|code| code.get(1).or(code.get(2)));
                found.extend(
                    codes.map(|code| code.as_str().to_owned()).filter(|code| is_command(code)),
                );
            }
        }
    }
    Ok(found)
}

/// Whether a piece of code in a line of text is for a shell: most are Rust, or names.
fn is_command(code: &str) -> bool {
    let mut words = code.split(' ');
    let first = words.next().unwrap_or_default();
    words.next().is_some()
        && (["cargo", "make", "sh", "unshare"].contains(&first) || is_stage(first))
}

/// The literals that a check hands to a shell, and the words that it hands to a stage. Scripts
/// that are not handed over where they stand have a name: `script`, `action` or `look`.
pub fn in_rust(text: &str) -> anyhow::Result<Vec<String>> {
    let script = Regex::new(concat!(
        r#"("-c",|let (script|actions?|look) =|"#,
        r#"\bscript\(\s*(bench,\s*(&?\[[^\]]*\]|&?\w+),)?)\s*&?(format!\(\s*)?$"#
    ))?;
    // In a loop over scripts all of a row are some, but of tuples the first.
    let (each, first) = (
        Regex::new(r"\bfor (script|action) in &?\[\s*$")?,
        Regex::new(r"\bfor \((script|action), [^;{]*\bin &?\[[^;{]*\(\s*$")?,
    );
    let (stage, program) = (Regex::new(r"\.stage\(\[\s*$")?, Regex::new(r"\brun\(\s*$")?);
    let mut found = Vec::new();
    for row in rows(text)? {
        for (before, value) in &row {
            if script.is_match(before) || looks_like_a_script(value) {
                found.push(value.clone());
            }
        }
        let start = row.first().map(|(before, _)| before.as_str()).unwrap_or_default();
        let scripts = match (each.is_match(start), first.is_match(start)) {
            (true, _) => &row[..],
            (_, true) => &row[..1],
            _ => &[],
        };
        found.extend(scripts.iter().map(|(_, value)| value.clone()));
        let words: Vec<&str> = row.iter().map(|(_, value)| value.as_str()).collect();
        if stage.is_match(start) || words.contains(&"--") {
            found.push(in_one_line(&[&[A_STAGE], &words[..]].concat()));
        } else if program.is_match(start) {
            found.push(in_one_line(&words));
        }
    }
    Ok(found)
}

/// Words as a shell would be told them.
fn in_one_line(words: &[&str]) -> String {
    let quoted: Vec<String> =
        words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
    quoted.join(" ")
}

fn looks_like_a_script(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    let operators = ["; ", " && ", " | ", "$(", " >", "\n    "];
    ["echo", "cat", "exec", "cd", "mkdir", "grep", "readlink", "trap", "touch", "mount"]
        .contains(&first)
        && operators.iter().any(|operator| text.contains(operator))
}

/// The string literals of a Rust file, each with the code before it, in which literals are
/// empty but for `"-c"`. Those that only commas separate are one row.
fn rows(text: &str) -> anyhow::Result<Vec<Vec<(String, String)>>> {
    let piece = Regex::new(concat!(
        r#"(?s)//[^\n]*|/\*.*?\*/"#,                          // comments
        r#"|'(?:[^'\\]|\\.[^']*)'"#,                          // characters
        r##"|r(?P<hashes>#*)"|"(?P<text>(?:[^"\\]|\\.)*)""##, // strings
    ))?;
    let (mut rows, mut before, mut at) = (Vec::<Vec<_>>::new(), String::new(), 0);
    while let Some(next) = piece.captures_at(text, at) {
        let whole = next.get(0).context("a match is somewhere")?;
        let between = &text[at..whole.start()];
        before += between;
        at = whole.end();
        let value = if let Some(hashes) = next.name("hashes") {
            let end = format!("\"{}", hashes.as_str());
            let length = text[at..].find(&end).context("a raw string has no end")?;
            let value = text[at..at + length].to_owned();
            at += length + end.len();
            value
        } else if let Some(text) = next.name("text") {
            unescaped(text.as_str())
        } else {
            continue;
        };
        let literal = (before.clone(), value.clone());
        match rows.last_mut() {
            Some(row) if between.trim() == "," => row.push(literal),
            _ => rows.push(vec![literal]),
        }
        before += if value == "-c" { "\"-c\"" } else { "\"\"" };
    }
    Ok(rows)
}

fn unescaped(text: &str) -> String {
    let (mut value, mut rest) = (String::new(), text.chars().peekable());
    while let Some(next) = rest.next() {
        if next != '\\' {
            value.push(next);
            continue;
        }
        match rest.next() {
            Some('n') => value.push('\n'),
            Some('t') => value.push('\t'),
            Some('0') => value.push('\0'),
            Some('\n') => while rest.next_if(|next| next.is_whitespace()).is_some() {},
            Some(other) => value.push(other),
            None => {}
        }
    }
    value
}
