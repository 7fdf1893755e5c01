//! Does a page show transcripts and code only by including them?

mod commands;
mod drawn;
mod named;
mod whole;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use regex::Regex;

pub use commands::built_programs;
use commands::is_known_command;
pub use drawn::{all_records_are_drawn, records_elsewhere_are_found};
pub use named::proofs_are_checks;
pub use whole::{every_transcript_is_shown, includes_all_exercises, shows_whole_chapter};

/// A Markdown file of the book.
pub struct Page {
    /// Its path.
    pub file: PathBuf,
    text: String,
}

/// A fenced block of a page.
struct Block<'a> {
    /// What stands after the opening fence, such as `console`.
    info: &'a str,
    lines: Vec<&'a str>,
}

/// What a page includes: lines FIRST:LAST, an anchor, or a whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Lines(usize, usize),
    Anchor(String),
}

impl Page {
    /// Reads all pages of the book.
    pub fn all(book: &Path) -> anyhow::Result<Vec<Page>> {
        let mut files = Vec::new();
        files_in(&book.join("src"), "md", &mut files)?;
        let read = |file: PathBuf| {
            let text =
                fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
            Ok(Page { file, text })
        };
        files.into_iter().map(read).collect()
    }

    /// A page with this text, for the tests of these tests.
    pub fn with(file: &Path, text: &str) -> Page {
        Page {
            file: file.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Its file's name.
    pub fn name(&self) -> String {
        self.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The transcripts that it shows, in the order of their first lines.
    pub fn transcripts(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for (file, _) in self.includes()? {
            let is_transcript = file.extension().is_some_and(|ending| ending == "console");
            if is_transcript && !found.contains(&file) {
                found.push(file);
            }
        }
        Ok(found)
    }

    fn blocks(&self) -> anyhow::Result<Vec<Block<'_>>> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for line in self.text.lines() {
            let fence = line.trim_start().strip_prefix("```");
            match (open.take(), fence) {
                (None, Some(info)) => {
                    open = Some(Block {
                        info: info.trim(),
                        lines: Vec::new(),
                    })
                }
                (Some(block), Some("")) => blocks.push(block),
                (Some(mut block), _) => {
                    block.lines.push(line);
                    open = Some(block);
                }
                (None, None) => {}
            }
        }
        ensure!(open.is_none(), "{}: a block has no end", self.file.display());
        Ok(blocks)
    }

    /// Every file that the page includes, and which part of it.
    fn includes(&self) -> anyhow::Result<Vec<(PathBuf, Part)>> {
        let folder = self.file.parent().context("a page is in a folder")?;
        let pattern = Regex::new(r"\{\{#include ([^}:]+)(?::([^}]*))?\}\}")?;
        let read = |found: regex::Captures| {
            let file = folder.join(found[1].trim());
            let file = file
                .canonicalize()
                .with_context(|| format!("{} includes {}", self.file.display(), &found[1]))?;
            Ok((file, part(found.get(2).map_or("", |part| part.as_str()))))
        };
        pattern.captures_iter(&self.text).map(read).collect()
    }

    /// A console block is one include of a transcript, a block of Rust one of code; a block
    /// to be copied into a shell holds nothing but the commands that the project has.
    pub fn shows_nothing_pasted(&self, workspace: &Path) -> anyhow::Result<()> {
        for block in self.blocks()? {
            let language = block.info.split(',').next().unwrap_or_default();
            let include = |ending: &str| match block.lines[..] {
                [line] => {
                    line.trim().starts_with("{{#include ")
                        && Regex::new(ending).unwrap().is_match(line)
                }
                _ => false,
            };
            let fine = match language {
                "console" => include(r"\btranscripts/[\w/-]+\.console:[0-9]+(:[0-9]*)?\}\}$"),
                "diff" => include(r"\bdiffs/[0-9]{2}\.diff\}\}$"),
                "rust" => block.info == "rust,ignore" && include(r"\.rs(:[\w-]+)?\}\}$"),
                "toml" => include(r"\.toml(:[\w-]+)?\}\}$"),
                "sh" => block.lines.iter().all(|line| is_known_command(line, workspace)),
                "text" => true,
                _ => false,
            };
            ensure!(
                fine,
                "{}: pasted, not included: ```{}\n{}",
                self.file.display(),
                block.info,
                block.lines.join("\n")
            );
        }
        Ok(())
    }
}

fn part(text: &str) -> Part {
    let lines: Vec<&str> = text.split(':').collect();
    let number = |text: &str, otherwise| {
        if text.is_empty() {
            Some(otherwise)
        } else {
            text.parse().ok()
        }
    };
    match lines[..] {
        [""] => Part::Whole,
        [one] => one.parse().map_or(Part::Anchor(one.to_owned()), |line| Part::Lines(line, line)),
        [first, last, ..] => match (number(first, 1), number(last, usize::MAX)) {
            (Some(first), Some(last)) => Part::Lines(first, last),
            _ => Part::Anchor(first.to_owned()),
        },
        [] => Part::Whole,
    }
}

/// The files under a folder whose names end so, in order.
pub fn files_in(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("read {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_in(&path, ending, found)?;
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    Ok(())
}
