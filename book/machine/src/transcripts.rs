//! Which of the book's transcripts run in the machine?

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, ensure};
use kernels::tools::entries;
use tinyjson::JsonValue;

/// Those that do not, each with the reason: `NAME: REASON`, or `CHAPTER: REASON` for all of one.
const NOT_HERE: &str = include_str!("../not-here.txt");

/// What other kernels do not print, though they print the rest: `NAME: WORDS OF THE LINE`.
const ITS_OWN: &str = include_str!("../its-own.txt");

/// How the page tells names from what counts.
const NAMES: &str = include_str!("../../../tests/transcripts/names.json");

/// The list that the pages fetch: each transcript with its text and, where it does not run in the
/// machine, the reason; and the patterns of names.
///
/// # Errors
///
/// A transcript cannot be read, or the list of exceptions names none.
pub fn list(own: &Path) -> anyhow::Result<String> {
    let transcripts = all(&own.join("../src/transcripts"))?;
    let [not_here, its_own] = [NOT_HERE, ITS_OWN].map(lines);
    let [not_here, its_own] = [not_here?, its_own?];
    for name in not_here.keys().chain(its_own.keys()) {
        let is_one = |one: &String| one == name || chapter_of(one) == *name;
        ensure!(transcripts.keys().any(is_one), "no transcript is called {name}");
    }
    let mut list = Vec::new();
    for (name, text) in transcripts {
        let mut fields = vec![("text", text)];
        let why = not_here.get(name.as_str()).or_else(|| not_here.get(chapter_of(&name)));
        fields.extend(why.map(|why| ("why", (*why).to_owned())));
        fields.extend(its_own.get(name.as_str()).map(|words| ("own", (*words).to_owned())));
        fields.push(("name", name));
        let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value.into()));
        list.push(JsonValue::Object(fields.collect()));
    }
    let names: JsonValue = NAMES.parse()?;
    let whole = [("transcripts".to_owned(), JsonValue::Array(list)), ("names".to_owned(), names)];
    Ok(JsonValue::Object(whole.into()).stringify()?)
}

/// The lines of a list, by name.
fn lines(text: &str) -> anyhow::Result<BTreeMap<&str, &str>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let parts = lines.map(|line| line.split_once(": ").with_context(|| format!("no `: `: {line}")));
    parts.collect()
}

/// `06-reexec`, of `06-reexec/show`.
fn chapter_of(name: &str) -> &str {
    name.split_once('/').map_or(name, |(chapter, _)| chapter)
}

/// All transcripts, by name: `06-reexec/show`.
fn all(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for chapter in entries(folder)? {
        let of_chapter = chapter.file_name().context("a chapter has a name")?.display();
        for file in entries(&chapter)? {
            let is_one = file.extension().is_some_and(|end| end == "console");
            if let Some(stem) = file.file_stem().filter(|_| is_one) {
                let text = fs::read_to_string(&file)?;
                found.insert(format!("{of_chapter}/{}", stem.display()), text);
            }
        }
    }
    Ok(found)
}
