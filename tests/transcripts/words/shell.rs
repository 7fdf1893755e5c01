//! Which programs does a shell script name?
//!
//! Enough of the shell's grammar to find every word in command position: in lists, loops,
//! `case`, subshells and substitutions, in the scripts that are handed to another shell, and
//! behind programs that run another program (`env`, `unshare`, the stages).

use anyhow::{Context, bail, ensure};

use super::wrappers;

/// Reserved words after which, or instead of which, a command stands.
const RESERVED: [&str; 12] =
    ["!", "{", "}", "if", "then", "elif", "else", "fi", "do", "done", "esac", "in"];

/// Reserved words too, but found: these begin a loop.
const LOOPS: [&str; 2] = ["while", "until"];

/// The words in command position of a script, in order.
///
/// # Errors
///
/// A quote or a bracket has no end.
pub fn commands(script: &str) -> anyhow::Result<Vec<String>> {
    let mut scan = Scan {
        text: script.chars().collect(),
        at: 0,
        found: Vec::new(),
        functions: Vec::new(),
    };
    scan.list(false).with_context(|| format!("in {script:?}"))?;
    let Scan {
        mut found,
        functions,
        ..
    } = scan;
    found.retain(|word| !functions.contains(word));
    Ok(found)
}

struct Scan {
    text: Vec<char>,
    at: usize,
    found: Vec<String>,
    /// Functions that the script defines.
    functions: Vec<String>,
}

impl Scan {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn starts(&self, what: &str) -> bool {
        what.chars()
            .enumerate()
            .all(|(index, one)| self.text.get(self.at + index) == Some(&one))
    }

    /// Commands up to the end, or to the bracket that ends a subshell or a substitution.
    fn list(&mut self, is_inner: bool) -> anyhow::Result<()> {
        let mut words: Vec<String> = Vec::new();
        // How many `case`s are open, and whether a pattern comes next.
        let (mut cases, mut pattern) = (0, false);
        while let Some(next) = self.peek() {
            if pattern {
                pattern = false;
                cases -= usize::from(!self.pattern()?);
                continue;
            }
            match next {
                ' ' | '\t' => self.at += 1,
                '#' => self.comment(),
                '\n' | ';' | '&' | '|' => {
                    pattern = cases > 0 && self.starts(";;");
                    self.at += if pattern { 2 } else { 1 };
                    self.simple_command(&std::mem::take(&mut words))?;
                }
                ')' if is_inner => {
                    self.at += 1;
                    return self.simple_command(&words);
                }
                '(' => {
                    self.at += 1;
                    match words.pop() {
                        Some(name) => {
                            self.functions.push(name);
                            self.at += 1; // the other bracket
                        }
                        None => self.list(true)?,
                    }
                }
                '<' | '>' => self.redirection(&mut words)?,
                _ => {
                    let word = self.word()?;
                    let first = words.is_empty();
                    if words.first().is_some_and(|first| first == "case") && word == "in" {
                        words.clear();
                        cases += 1;
                        pattern = true;
                    } else if first && word == "esac" {
                        cases -= 1;
                    } else if first && LOOPS.contains(&word.as_str()) {
                        self.found.push(word);
                    } else if !(first && RESERVED.contains(&word.as_str())) {
                        words.push(word);
                    }
                }
            }
        }
        ensure!(!is_inner, "no ) ends what begins before");
        self.simple_command(&words)
    }

    fn comment(&mut self) {
        while self.peek().is_some_and(|next| next != '\n') {
            self.at += 1;
        }
    }

    /// A pattern of `case`, with its bracket. Whether there was one: the other end is `esac`.
    fn pattern(&mut self) -> anyhow::Result<bool> {
        while self
            .peek()
            .is_some_and(|next| next.is_whitespace() || next == '(' || next == '|')
        {
            self.at += 1;
        }
        if self.peek() == Some(')') {
            self.at += 1;
            return Ok(true);
        }
        if self.word()? == "esac" {
            return Ok(false);
        }
        self.pattern()
    }

    /// `2>&1`, `<file`: no word of the command, nor is the number before it.
    fn redirection(&mut self, words: &mut Vec<String>) -> anyhow::Result<()> {
        let touches = self.at > 0 && self.text[self.at - 1].is_ascii_digit();
        let is_number = |word: &String| word.chars().all(|one| one.is_ascii_digit());
        if touches && words.last().is_some_and(is_number) {
            words.pop();
        }
        while self.peek().is_some_and(|next| "<>&|".contains(next)) {
            self.at += 1;
        }
        while self.peek() == Some(' ') {
            self.at += 1;
        }
        self.word().map(drop)
    }

    /// A word with its quotes taken away. What it substitutes is scanned, and stays as it is.
    fn word(&mut self) -> anyhow::Result<String> {
        let mut word = String::new();
        while let Some(next) = self.peek() {
            match next {
                _ if next.is_whitespace() || ";&|()<>".contains(next) => break,
                '`' => bail!("write $( ) and not backquotes"),
                '\'' => {
                    self.at += 1;
                    while self.peek().context("no ' ends what begins before")? != '\'' {
                        word.push(self.text[self.at]);
                        self.at += 1;
                    }
                    self.at += 1;
                }
                '"' => self.double_quoted(&mut word)?,
                '\\' => {
                    self.at += 1;
                    word.extend(self.peek().filter(|next| *next != '\n'));
                    self.at += 1;
                }
                '$' => self.dollar(&mut word)?,
                _ => {
                    word.push(next);
                    self.at += 1;
                }
            }
        }
        Ok(word)
    }

    fn double_quoted(&mut self, word: &mut String) -> anyhow::Result<()> {
        self.at += 1;
        loop {
            match self.peek().context("no \" ends what begins before")? {
                '"' => break,
                '\\' => {
                    let next = self.text.get(self.at + 1).copied().unwrap_or('\\');
                    if !"\"\\$`\n".contains(next) {
                        word.push('\\');
                    }
                    word.extend(Some(next).filter(|next| *next != '\n'));
                    self.at += 2;
                }
                '$' => self.dollar(word)?,
                '`' => bail!("write $( ) and not backquotes"),
                next => {
                    word.push(next);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Ok(())
    }

    fn dollar(&mut self, word: &mut String) -> anyhow::Result<()> {
        let until = |scan: &Scan, end: &str| {
            (scan.at..scan.text.len()).find(|at| Scan::ends_there(&scan.text, *at, end))
        };
        let end = match () {
            () if self.starts("$((") => until(self, "))").context("no )) ends an expression")? + 2,
            () if self.starts("$(") => return self.substitution(word),
            () if self.starts("${") => until(self, "}").context("no } ends an expansion")? + 1,
            () => self.at + 1,
        };
        word.extend(&self.text[self.at..end]);
        self.at = end;
        Ok(())
    }

    fn ends_there(text: &[char], at: usize, end: &str) -> bool {
        end.chars().enumerate().all(|(index, one)| text.get(at + index) == Some(&one))
    }

    /// `$(`, commands, `)`.
    fn substitution(&mut self, word: &mut String) -> anyhow::Result<()> {
        let start = self.at;
        self.at += 2;
        self.list(true)?;
        word.extend(&self.text[start..self.at]);
        Ok(())
    }

    /// Notes the program of a simple command, and what that program is told to run.
    fn simple_command(&mut self, words: &[String]) -> anyhow::Result<()> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.run(&words)
    }

    fn run(&mut self, words: &[&str]) -> anyhow::Result<()> {
        let is_assignment = |word: &str| {
            let name = word.split_once('=').map(|(name, _)| name).unwrap_or_default();
            !name.is_empty() && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_')
        };
        let Some(start) = words.iter().position(|word| !is_assignment(word)) else {
            return Ok(());
        };
        let (name, arguments) = (words[start], &words[start + 1..]);
        if ["for", "case"].contains(&name) {
            return Ok(());
        }
        self.found.push(name.to_owned());
        for script in wrappers::scripts(name, arguments) {
            self.found.extend(commands(&script)?);
        }
        self.run(wrappers::inner(name, arguments))
    }
}
