//! Is there a diagram of each run with several voices?

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

use super::{Page, files_in};
use crate::{records, transcript::Transcript};

/// Each transcript with several voices has its records beside it, and no other has; they are on a
/// page once, right after the transcript.
pub fn all_records_are_drawn(
    pages: &[Page],
    folder: &Path,
    transcripts: &[PathBuf],
) -> anyhow::Result<()> {
    let mut kept = Vec::new();
    files_in(&folder.join("transcripts"), "jsonl", &mut kept)?;
    let mut wanted = Vec::new();
    for file in transcripts {
        let transcript = Transcript::parse(&fs::read_to_string(file)?)?;
        if records::are_wanted(&transcript) {
            wanted.push(records::file_of(file));
        }
    }
    for file in &kept {
        ensure!(
            wanted.contains(file),
            "{}: its transcript has one voice: remove it",
            file.display()
        );
    }
    for file in &wanted {
        ensure!(kept.contains(file), "there is no {}: `make transcripts`", file.display());
        let name = file.strip_prefix(folder).context("a file in the book")?.display().to_string();
        let texts = pages.iter().map(|page| page.text.as_str());
        is_drawn_once(&texts.collect::<Vec<_>>(), &name)?;
    }
    Ok(())
}

/// The records are in one script, and only the end of a block is between it and the transcript.
fn is_drawn_once(pages: &[&str], name: &str) -> anyhow::Result<()> {
    let include = format!("{{{{#include {name}}}}}");
    let script = format!(
        "\n```\n\n<script type=\"application/json\" class=\"records\">\n{include}\n</script>\n"
    );
    let number: usize = pages.iter().map(|text| text.matches(&include).count()).sum();
    ensure!(number == 1, "{name}: it is on {number} pages");
    let before = pages.iter().find_map(|text| Some(text.split_once(&script)?.0));
    let last = before.and_then(|before| before.lines().last());
    let transcript = format!("{{{{#include {}:", name.replace(".jsonl", ".console"));
    ensure!(
        last.is_some_and(|line| line.starts_with(&transcript)),
        "{name}: the page lacks this right after its transcript:{script}"
    );
    Ok(())
}

/// Pages that forget the records, show them twice, or show them elsewhere.
pub fn records_elsewhere_are_found() -> anyhow::Result<()> {
    let console = "```console\n{{#include transcripts/a.console:2:}}\n```\n";
    let script = "\n<script type=\"application/json\" class=\"records\">\n\
                  {{#include transcripts/a.jsonl}}\n</script>\n";
    let found = |page: String| is_drawn_once(&[&page, ""], "transcripts/a.jsonl").is_err();
    ensure!(!found(format!("{console}{script}")), "a good page is refused");
    ensure!(found(console.to_owned()), "forgotten");
    ensure!(found(format!("{console}{script}{console}{script}")), "twice");
    ensure!(found(format!("{console}\nText.\n{script}")), "elsewhere");
    Ok(())
}
