//! Is the prose in plain English? A word on the list `words.txt` is refused, with what to write
//! instead: in the book, the exercises, README.md, CONTRIBUTING.md and what assistants read, and in
//! all Rust, whose comments and errors are read too. Is each line of Rust at most 100 columns wide,
//! and each file at most 300 lines long?
//! And is what keeps the repository in order itself in order (`kept`)?

#[allow(dead_code)] // no trial of this test is skipped
#[path = "../harness.rs"]
mod harness;
mod kept;
mod prose;
mod rules;
mod self_tests;

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, ensure};
use libtest_mimic::Trial;

use crate::{harness::trial, rules::Rule};

/// How long a line of Rust may be (max_width).
const COLUMNS: usize = 100;

/// How many lines a file of Rust may have.
const LINES: usize = 300;

/// The rules.
const LIST: &str = include_str!("words.txt");

fn main() {
    harness::run("style", 1, || Ok((|| Ok(()), trials()?)))
}

fn trials() -> anyhow::Result<Vec<Trial>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace")?;
    let rules = Arc::new(rules::read(LIST)?);
    let chapters = root.join("chapters");
    let of_chapters = |inside: &str, ending: &str| files(&chapters, &format!("/{inside}/"), ending);
    let mut rust = files(&chapters, "", "rs")?;
    for folder in ["book/machine/src", "doctor", "tests", "tour"] {
        rust.extend(files(&root.join(folder), "", "rs")?);
    }
    let mut read_for_words = rust.clone();
    // Its own tests have the refused words.
    read_for_words.retain(|file| !file.starts_with(root.join("tests/style")));
    let root_of_all = root.to_owned();
    let mut trials = self_tests::trials();
    trials.extend(kept::trials(root));
    for (name, files) in [
        (
            "README.md, CONTRIBUTING.md",
            ["README.md", "CONTRIBUTING.md"].map(|file| root.join(file)).to_vec(),
        ),
        (
            "what assistants read",
            ["AGENTS.md", "tests/src/workshop/tutor.md"]
                .map(|file| root.join(file))
                .to_vec(),
        ),
        (
            "SECURITY.md, CHANGELOG.md, a release's README",
            ["SECURITY.md", "CHANGELOG.md", ".ci/release.md"]
                .map(|file| root.join(file))
                .to_vec(),
        ),
        ("the pages of the book", files(&root.join("book/src"), "", "md")?),
        ("the exercises", of_chapters("exercises", "md")?),
        ("the Rust", read_for_words),
    ] {
        let (root, rules) = (root.to_owned(), Arc::clone(&rules));
        trials.push(trial(format!("style: {name}"), move || in_style(&root, &rules, &files)));
    }
    trials.push(trial("style: lines of Rust", move || in_columns(&root_of_all, &rust)));
    Ok(trials)
}

/// No line is longer than rustfmt.toml says: rustfmt leaves what it cannot break as it is.
fn in_columns(root: &Path, files: &[PathBuf]) -> anyhow::Result<()> {
    let mut long = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        for (number, line) in text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > COLUMNS {
                let file = file.strip_prefix(root)?.display();
                long.push(format!("{file}:{}: {columns} columns", number + 1));
            }
        }
        let lines = text.lines().count();
        if lines > LINES {
            long.push(format!("{}: {lines} lines", file.strip_prefix(root)?.display()));
        }
    }
    ensure!(
        long.is_empty(),
        "more than {COLUMNS} columns, or {LINES} lines:\n{}",
        long.join("\n")
    );
    Ok(())
}

/// No word of the list is in these files. `SUGGESTIONS=1` prints what could be better besides.
fn in_style(root: &Path, rules: &[Rule], files: &[PathBuf]) -> anyhow::Result<()> {
    ensure!(!files.is_empty(), "no files");
    let mut refused = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        let file = file.strip_prefix(root)?.display();
        // In a source every line counts: comments are on the page too.
        let lines = match file.to_string().ends_with(".md") {
            true => prose::of_markdown(&text).with_context(|| file.to_string())?,
            false => text.lines().map(str::to_owned).collect(),
        };
        let found = rules::refused(rules, &lines);
        refused.extend(found.iter().map(|finding| format!("{file}:{finding}")));
        if env::var_os("SUGGESTIONS").is_some() {
            for finding in rules::suggested(rules, &lines) {
                println!("{file}:{finding}");
            }
        }
    }
    ensure!(
        refused.is_empty(),
        "{} words that the house style (tests/style/words.txt) has others for:\n{}",
        refused.len(),
        refused.join("\n")
    );
    Ok(())
}

/// The files under a folder whose paths have this part and this ending, in order.
fn files(folder: &Path, part: &str, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, part, ending)?);
        } else if path.extension().is_some_and(|found| found == ending)
            && path.to_string_lossy().contains(part)
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
