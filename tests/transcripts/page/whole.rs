//! Does the page show all of it: every transcript, the chapter's code, its exercises?

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

use super::{Page, Part, files_in};

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

/// The page shows all code of the chapter's folder, but for its tests, the doctor's `probe`, and
/// files that it names and shows nothing of. It shows no part twice.
pub fn shows_whole_chapter(page: &Page, chapter: &Path) -> anyhow::Result<()> {
    let mut files = Vec::new();
    files_in(&chapter.join("src"), "rs", &mut files)?;
    files.retain(|file| !file.ends_with("tests.rs") && !file.ends_with("properties.rs"));
    ensure!(!files.is_empty(), "{} has no code", chapter.display());
    let includes = page.includes()?;
    for (index, include) in includes.iter().enumerate() {
        let is_code = include.0.extension().is_some_and(|ending| ending == "rs");
        let twice = is_code && includes[..index].contains(include);
        ensure!(!twice, "{} {:?} is on the page twice", include.0.display(), include.1);
    }
    for file in files {
        let parts: Vec<&Part> = includes
            .iter()
            .filter(|(included, _)| *included == file.canonicalize().unwrap_or_default())
            .map(|(_, part)| part)
            .collect();
        let path = file.strip_prefix(chapter.parent().context("a chapter is in a folder")?)?;
        if parts.is_empty() && page.text.contains(&format!("`chapters/{}`", path.display())) {
            continue;
        }
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
                name == "probe" || parts.contains(&&Part::Anchor(name.to_owned())),
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
