//! Which words does the house style refuse, and where does a text have them?

use std::fmt;

use anyhow::Context;
use regex::{Regex, RegexBuilder};

use crate::prose;

/// A sentence with more words than this is worth a second look.
const LONG: usize = 40;

/// A line of words.txt.
pub struct Rule {
    pattern: Regex,
    instead: String,
    why: String,
    is_suggestion: bool,
}

/// A place in a text where a rule applies.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// The line, from 1 on.
    pub line: usize,
    found: String,
    advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}: {}", self.line, self.found, self.advice)
    }
}

/// The rules of words.txt.
pub fn read(list: &str) -> anyhow::Result<Vec<Rule>> {
    let is_rule = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let rule = |line: &str| Rule::parse(line).with_context(|| format!("words.txt: {line}"));
    list.lines().filter(is_rule).map(rule).collect()
}

impl Rule {
    fn parse(line: &str) -> anyhow::Result<Rule> {
        let suggested = line.strip_prefix("? ");
        let (pattern, rest) = suggested.unwrap_or(line).split_once(" -> ").context("no ` -> `")?;
        let (instead, why) = rest.split_once(" | ").context("no ` | ` and a reason")?;
        let words = pattern.replace(' ', r"\s+").replace('\'', "['’]");
        Ok(Rule {
            pattern: RegexBuilder::new(&format!(r"\b(?:{words})\b"))
                .case_insensitive(true)
                .build()?,
            instead: instead.to_owned(),
            why: why.to_owned(),
            is_suggestion: suggested.is_some(),
        })
    }

    fn in_line<'a>(&'a self, line: usize, text: &'a str) -> impl Iterator<Item = Finding> + 'a {
        self.pattern.find_iter(text).map(move |found| Finding {
            line,
            found: found.as_str().to_owned(),
            advice: format!("write {} instead ({})", self.instead, self.why),
        })
    }
}

/// What must be written in another way.
pub fn refused(rules: &[Rule], lines: &[String]) -> Vec<Finding> {
    all(rules.iter().filter(|rule| !rule.is_suggestion), lines)
}

/// What may be written in another way: the list's suggestions, and long sentences.
pub fn suggested(rules: &[Rule], lines: &[String]) -> Vec<Finding> {
    let mut found = all(rules.iter().filter(|rule| rule.is_suggestion), lines);
    for (line, text) in (1..).zip(lines) {
        for sentence in prose::sentences(text) {
            let words = sentence.split_whitespace().count();
            if words > LONG {
                found.push(Finding {
                    line,
                    found: sentence.chars().take(40).collect(),
                    advice: format!("a sentence of {words} words: write two instead"),
                });
            }
        }
    }
    found
}

fn all<'a>(rules: impl Iterator<Item = &'a Rule>, lines: &[String]) -> Vec<Finding> {
    let numbered = || (1..).zip(lines);
    let found = |rule: &'a Rule| {
        numbered().flat_map(|(line, text)| rule.in_line(line, text).collect::<Vec<_>>())
    };
    let mut found: Vec<Finding> = rules.flat_map(found).collect();
    found.sort_by_key(|finding| finding.line);
    found
}
