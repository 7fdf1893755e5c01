//! Does a page show transcripts and code only by including them, and all of them?

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use regex::Regex;

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

/// `make TARGET`, `cargo run --bin NAME …`, or mdBook itself.
fn is_known_command(line: &str, workspace: &Path) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["make", target, ..] if words[2..].iter().all(|word| word.contains('=')) => {
            fs::read_to_string(workspace.join("Makefile")).is_ok_and(|makefile| {
                makefile.lines().any(|line| line.starts_with(&format!("{target}:")))
            })
        }
        ["cargo", "run", "--bin", name, ..] => {
            built_programs(workspace).is_ok_and(|programs| programs.contains(name))
        }
        ["mdbook", "serve", "book"] => true,
        _ => false,
    }
}

/// The binaries and examples that the workspace builds, by cargo's own account of them.
pub fn built_programs(workspace: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut manifests = Vec::new();
    files_in(&workspace.join("chapters"), "toml", &mut manifests)?;
    manifests.push(workspace.join("tests/Cargo.toml"));
    let mut programs = BTreeSet::new();
    let named = Regex::new(r#"(?m)^\[\[bin\]\]\s+name = "([^"]+)""#)?;
    for manifest in manifests {
        let text = fs::read_to_string(&manifest)?;
        programs.extend(named.captures_iter(&text).map(|name| name[1].to_owned()));
        let mut files = Vec::new();
        for folder in ["src/bin", "examples"].map(|folder| manifest.with_file_name(folder)) {
            if folder.is_dir() {
                files_in(&folder, "rs", &mut files)?;
            }
        }
        programs
            .extend(files.iter().filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())));
    }
    Ok(programs)
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

/// Every line of every transcript but the first is on a page.
pub fn every_transcript_is_shown(pages: &[Page], transcripts: &[PathBuf]) -> anyhow::Result<()> {
    let shown = all_includes(pages)?;
    for file in transcripts {
        let text = fs::read_to_string(file)?;
        let parts = shown.get(&file.canonicalize()?).map_or(&[][..], Vec::as_slice);
        for (number, line) in (1..).zip(text.lines()) {
            let covered = parts.iter().any(|part| match part {
                Part::Whole => true,
                Part::Lines(first, last) => (*first..=*last).contains(&number),
                Part::Anchor(_) => false,
            });
            ensure!(covered || number == 1, "{}:{number}: no page shows {line:?}", file.display());
            ensure!(
                !covered || number > 1,
                "{}: a page shows the line that says who runs it",
                file.display()
            );
        }
    }
    Ok(())
}

fn all_includes(pages: &[Page]) -> anyhow::Result<BTreeMap<PathBuf, Vec<Part>>> {
    let mut all: BTreeMap<PathBuf, Vec<Part>> = BTreeMap::new();
    for page in pages {
        for (file, part) in page.includes()? {
            all.entry(file).or_default().push(part);
        }
    }
    Ok(all)
}

/// The page shows all code of the chapter's folder, but for its tests.
pub fn shows_whole_chapter(page: &Page, chapter: &Path) -> anyhow::Result<()> {
    let mut files = Vec::new();
    files_in(&chapter.join("src"), "rs", &mut files)?;
    ensure!(!files.is_empty(), "{} has no code", chapter.display());
    let includes = page.includes()?;
    for file in files {
        let parts: Vec<&Part> = includes
            .iter()
            .filter(|(included, _)| *included == file.canonicalize().unwrap_or_default())
            .map(|(_, part)| part)
            .collect();
        shows_whole_file(&fs::read_to_string(&file)?, &parts)
            .with_context(|| format!("{}", file.display()))?;
    }
    Ok(())
}

fn shows_whole_file(text: &str, parts: &[&Part]) -> anyhow::Result<()> {
    let mut open: Vec<&str> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line == "#[cfg(test)]" {
            ensure!(
                !parts.contains(&&Part::Whole),
                "line {number}: the page includes the tests too"
            );
            break;
        }
        if is_for_workshop(line) {
            ensure!(
                !parts.contains(&&Part::Whole),
                "line {number}: a whole include shows the line `{line}`"
            );
        } else if let Some(name) = line.strip_prefix("// ANCHOR: ") {
            ensure!(
                !parts.contains(&&Part::Whole),
                "line {number}: a whole include shows the line `{line}`"
            );
            ensure!(
                parts.contains(&&Part::Anchor(name.to_owned())),
                "line {number}: the page lacks the part `{name}`"
            );
            open.push(name);
        } else if let Some(name) = line.strip_prefix("// ANCHOR_END: ") {
            let Some(index) = open.iter().position(|open| *open == name) else {
                bail!("line {number}: {name} is not open")
            };
            open.remove(index);
        } else {
            let shown = line.is_empty() || !open.is_empty() || parts.contains(&&Part::Whole);
            ensure!(shown, "line {number} is not on the page: {line}");
        }
    }
    ensure!(open.is_empty(), "no end of {}", open.join(", "));
    Ok(())
}

/// The bounds of a piece that an exercise takes out lie within the parts that the page shows.
fn is_for_workshop(line: &str) -> bool {
    ["// ANCHOR: exercise-", "// ANCHOR_END: exercise-"]
        .iter()
        .any(|prefix| line.starts_with(prefix))
}

/// The page includes all exercises of the chapter's folder.
pub fn includes_all_exercises(page: &Page, chapter: &Path) -> anyhow::Result<()> {
    let folder = chapter.join("exercises");
    let includes = page.includes()?;
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("read {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    ensure!(!files.is_empty(), "{} has no exercise", folder.display());
    for file in files {
        let shown = includes.contains(&(file.canonicalize()?, Part::Whole));
        ensure!(shown, "{} is not on the page", file.display());
    }
    Ok(())
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
