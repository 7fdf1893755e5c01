//! What of a Markdown file is prose?

use anyhow::ensure;
use regex::Regex;

/// The prose of each line: no blocks of code, no code in a line, no comments (they name checks),
/// no tags, and no addresses.
pub fn of_markdown(text: &str) -> anyhow::Result<Vec<String>> {
    let aside = Regex::new(r"`[^`]*`|<code>.*?</code>|<!--.*?-->|\{\{.*?\}\}|\]\([^)]*\)|<[^>]*>")?;
    let (mut lines, mut in_code, mut in_comment) = (Vec::new(), false, false);
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        let is_prose = !in_code && !is_fence;
        in_code ^= is_fence;
        let mut rest = aside.replace_all(line, "…").into_owned();
        if in_comment {
            rest = rest.split_once("-->").map_or(String::new(), |(_, after)| after.to_owned());
            in_comment = !line.contains("-->");
        } else if let Some((before, _)) = rest.split_once("<!--") {
            rest = before.to_owned();
            in_comment = true;
        }
        lines.push(if is_prose { rest } else { String::new() });
    }
    ensure!(!in_code && !in_comment, "a block of code, or a comment, has no end");
    Ok(lines)
}

/// A line's sentences, or the parts that a colon or a semicolon separates.
pub fn sentences(line: &str) -> impl Iterator<Item = &str> {
    line.split_inclusive(". ").flat_map(|part| part.split(['?', '!', ':', ';']))
}
