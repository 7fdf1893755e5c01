//! Which of the book's transcripts run in the machine?

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, ensure};
use kernels::tools::entries;
use tinyjson::JsonValue;

/// Those that do not, each with the reason: `NAME: REASON`.
const NOT_HERE: &str = include_str!("../not-here.txt");

/// How the page tells names from what counts.
const NAMES: &str = include_str!("../../../tests/transcripts/names.json");

/// The list that the pages fetch: each transcript with its text and, where it does not run in the
/// machine, the reason; and the patterns of names.
///
/// # Errors
///
/// A transcript cannot be read, or the list of exceptions names none.
pub fn list(own: &Path) -> anyhow::Result<String> {
    let mut exceptions = BTreeMap::new();
    for line in NOT_HERE.lines().filter(|line| !line.starts_with('#')) {
        let (name, why) = line.split_once(": ").context("a line of not-here.txt has no reason")?;
        exceptions.insert(name, why);
    }
    let mut list = Vec::new();
    for (name, text) in all(&own.join("../src/transcripts"))? {
        let mut fields = vec![("text", text)];
        if let Some(why) = exceptions.remove(name.as_str()) {
            fields.push(("why", why.to_owned()));
        }
        fields.push(("name", name));
        let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value.into()));
        list.push(JsonValue::Object(fields.collect()));
    }
    ensure!(exceptions.is_empty(), "not-here.txt has no transcript's name: {exceptions:?}");
    let names: JsonValue = NAMES.parse()?;
    let whole = [("transcripts".to_owned(), JsonValue::Array(list)), ("names".to_owned(), names)];
    Ok(JsonValue::Object(whole.into()).stringify()?)
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
