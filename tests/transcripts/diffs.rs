//! Does each page show how its `main.rs` differs from the one of the stage below?

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use judge::{
    chapters::{CHAPTERS, Chapter},
    workshop::source::without_anchors,
};
use libtest_mimic::Trial;
use similar::TextDiff;

use crate::harness::trial;

/// How one stage's main differs from the one below, and where that is written.
struct Difference {
    chapter: &'static str,
    /// Its path inside of the book.
    file: String,
    mains: [String; 2],
}

pub fn trials(workspace: &Path) -> Vec<Trial> {
    let mut trials = vec![trial("a difference between two mains has no ANCHOR", no_anchor)];
    trials.extend(Difference::all().map(|difference| {
        let (workspace, chapter) = (workspace.to_owned(), difference.chapter);
        trial(format!("{chapter}.md: what changed in main.rs is there"), move || {
            difference.is_on_the_page(&workspace)
        })
    }));
    trials
}

/// Writes those that are not up to date. Before a page is read: it may include a new one.
pub fn refresh(workspace: &Path) -> anyhow::Result<()> {
    for difference in Difference::all() {
        let (file, now) = (difference.path(workspace), difference.now(workspace)?);
        if fs::read_to_string(&file).ok().as_ref() != Some(&now) {
            println!("rewriting {}", file.display());
            fs::create_dir_all(file.with_file_name(""))?;
            fs::write(&file, &now).with_context(|| format!("write {}", file.display()))?;
        }
    }
    Ok(())
}

impl Difference {
    fn all() -> impl Iterator<Item = Difference> {
        let main = |chapter: &Chapter| format!("chapters/{}/src/main.rs", chapter.name);
        CHAPTERS.windows(2).map(move |pair| Difference {
            chapter: pair[1].name,
            file: format!("diffs/{}.diff", &pair[1].name[..2]),
            mains: [main(&pair[0]), main(&pair[1])],
        })
    }

    fn path(&self, workspace: &Path) -> PathBuf {
        workspace.join("book/src").join(&self.file)
    }

    fn now(&self, workspace: &Path) -> anyhow::Result<String> {
        let read =
            |file| fs::read_to_string(workspace.join(file)).with_context(|| format!("read {file}"));
        let [old, new] = &self.mains;
        Ok(difference([&read(old)?, &read(new)?], &self.mains))
    }

    fn is_on_the_page(&self, workspace: &Path) -> anyhow::Result<()> {
        let (file, [old, new]) = (&self.file, &self.mains);
        let written = fs::read_to_string(self.path(workspace)).unwrap_or_default();
        ensure!(
            written == self.now(workspace)?,
            "book/src/{file} is not how {old} and {new} differ: `make transcripts` rewrites it"
        );
        let page = format!("book/src/{}.md", self.chapter);
        let text = fs::read_to_string(workspace.join(&page)).with_context(|| page.clone())?;
        let block = format!("```diff\n{{{{#include {file}}}}}\n```\n");
        ensure!(text.contains(&block), "{page} lacks this block:\n{block}");
        Ok(())
    }
}

/// A unified diff of the two texts without their ANCHOR lines.
fn difference(texts: [&str; 2], files: &[String; 2]) -> String {
    let [old, new] = texts.map(without_anchors);
    let lines = TextDiff::from_lines(&old, &new);
    lines.unified_diff().header(&files[0], &files[1]).to_string()
}

fn no_anchor() -> anyhow::Result<()> {
    let files = ["old".to_owned(), "new".to_owned()];
    let old = "// ANCHOR: a\nsame\nold\n// ANCHOR_END: a\n";
    let found = difference([old, "same\nnew\n    // ANCHOR: exercise-b\n"], &files);
    ensure!(found == "--- old\n+++ new\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n", "{found}");
    ensure!(difference([old, "same\nold\n"], &files).is_empty());
    Ok(())
}
