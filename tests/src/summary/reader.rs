//! What do the lines say that `cargo test` and its test programs write?
//!
//! libtest and libtest-mimic write the lines. A result line says how many; the names of
//! failures stand in the list above it, and a skip and its reason in the test's own line, into
//! which a test's child may have written.

use std::mem;

/// A test that was skipped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skip {
    /// The test's name.
    pub test: String,
    /// Why.
    pub reason: String,
}

/// What one test program has said so far.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Such as `acceptance`, `lab, unit tests`.
    pub name: String,
    /// How many passed, as far as its lines say; in the end, as its result line says.
    pub passed: usize,
    /// How many failed, as its result line says.
    pub failed: usize,
    /// How many were skipped, as its result line says.
    pub ignored: usize,
    /// The names of the tests that failed.
    pub failures: Vec<String>,
    /// The tests that were skipped.
    pub skips: Vec<Skip>,
    /// Whether it has come to its result line.
    pub has_result: bool,
    /// How it ended, such as `signal: 9, SIGKILL: kill`, if not with status 0.
    pub end: Option<String>,
    /// The test that has begun, and is not yet over.
    pub running: Option<String>,
    /// Its last words, apart from its tests' lines.
    pub last_words: String,
    list: Option<Vec<String>>,
}

/// Reads what `cargo test` writes, standard error and standard output in one stream.
#[derive(Debug, Default)]
pub struct Reader {
    programs: Vec<Program>,
    rest: Vec<u8>,
    in_program: bool,
}

impl Reader {
    /// The next bytes, wherever they were cut.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.end_of_line();
            }
        }
    }

    /// All programs, when nothing more will come.
    pub fn programs(mut self) -> Vec<Program> {
        self.end_of_line();
        self.programs
    }

    fn end_of_line(&mut self) {
        let bytes = mem::take(&mut self.rest);
        let line = plain(&String::from_utf8_lossy(&bytes));
        self.line(line.trim_end_matches(['\n', '\r']));
    }

    fn line(&mut self, line: &str) {
        if let Some(name) = program(line) {
            self.programs.push(Program {
                name,
                ..Program::default()
            });
            self.in_program = true;
        } else if let Some(program) = self.programs.last_mut() {
            // After `test NAME ... ` in the same line, if the program was killed.
            if line.contains("error: test failed, to rerun pass")
                || line.contains("error: doctest failed, to rerun pass")
            {
                program.line(line.split("error: ").next().unwrap_or_default());
                // Of this status, the one of libtest, cargo says no more.
                program.end = Some("exit status: 101".into());
                self.in_program = false;
            } else if self.in_program {
                program.line(line);
            } else if let Some(end) = end(line) {
                program.end = Some(end);
            }
        }
    }
}

impl Program {
    fn line(&mut self, line: &str) {
        if line == "failures:" {
            self.list = Some(Vec::new());
        } else if let (Some(list), Some(name)) = (&mut self.list, line.strip_prefix("    ")) {
            list.push(name.to_owned());
        } else if let Some([passed, failed, ignored]) = result(line) {
            (self.passed, self.failed, self.ignored) = (passed, failed, ignored);
            self.failures = self.list.take().unwrap_or_default();
            (self.has_result, self.running) = (true, None);
        } else if self.list.is_none() {
            self.line_of_a_test(line);
        }
    }

    fn line_of_a_test(&mut self, line: &str) {
        let begun =
            line.find("test ").and_then(|at| line[at + "test ".len()..].split_once(" ... "));
        if let Some((test, said)) = begun {
            let test = test.trim_end();
            if self.outcome(test, said) {
                return;
            }
            // Where one is running already, this is what it wrote.
            if self.running.is_none() {
                self.running = Some(test.to_owned());
            }
        } else if let Some(test) = self.running.clone() {
            if self.outcome(&test, line) {
                self.running = None;
            }
        } else if !line.is_empty() {
            self.last_words = line.to_owned();
        }
    }

    /// Whether this is a test's outcome, perhaps behind words that its child wrote.
    fn outcome(&mut self, test: &str, said: &str) -> bool {
        if let Some(reason) = reason(said) {
            let test = test.to_owned();
            self.skips.push(Skip { test, reason });
        } else if said.ends_with("FAILED") {
            self.failures.push(test.to_owned());
        } else if said.ends_with("ok") {
            self.passed += 1;
        } else {
            return false;
        }
        true
    }
}

/// `Running tests/reexec_usage.rs (target/debug/deps/reexec_usage-7b8c03fd747eea63)` begins a
/// program, and so does `Doc-tests lab`: in cargo's column.
fn program(line: &str) -> Option<String> {
    if let Some(name) = line.strip_prefix("   Doc-tests ") {
        return Some(format!("{name}, examples in its documentation"));
    }
    let (source, file) = line.strip_prefix("     Running ")?.strip_suffix(')')?.split_once(" (")?;
    let (name, _hash) = file.rsplit('/').next()?.rsplit_once('-')?;
    let kind = if source.starts_with("unittests ") {
        ", unit tests"
    } else {
        ""
    };
    Some(format!("{name}{kind}"))
}

/// `test result: FAILED. 3 passed; 1 failed; 2 ignored; …`: the three numbers.
fn result(line: &str) -> Option<[usize; 3]> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = counts.split("; ");
    let mut count = |word: &str| counts.next()?.strip_suffix(word)?.trim_end().parse().ok();
    Some([count("passed")?, count("failed")?, count("ignored")?])
}

/// `ignored (why)` of libtest-mimic, `ignored, why` and `ignored` of libtest.
fn reason(said: &str) -> Option<String> {
    let (_, reason) = said.split_once("ignored")?;
    match reason.as_bytes() {
        [] => Some("no reason was given".into()),
        [b',', b' ', ..] => Some(reason[2..].into()),
        // Without the parenthesis, it goes on in the next line.
        [b' ', b'(', ..] => Some(reason[2..].strip_suffix(')').unwrap_or(&reason[2..]).into()),
        _ => None,
    }
}

/// `  process didn't exit successfully: `target/… --color always` (signal: 9, SIGKILL: kill)`.
fn end(line: &str) -> Option<String> {
    let (_, end) = line
        .trim_start()
        .strip_prefix("process didn't exit successfully: ")?
        .rsplit_once(" (")?;
    Some(end.strip_suffix(')')?.into())
}

/// The line without the colours of a terminal: `ESC [ … letter`, and `ESC ( B` of terminfo(5).
fn plain(line: &str) -> String {
    let mut pieces = line.split('\x1b');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| c.is_ascii_alphabetic()).map_or(piece.len(), |at| at + 1);
        text += &piece[end..];
    }
    text
}
