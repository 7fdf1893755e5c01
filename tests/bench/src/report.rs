//! What was measured, what could not be, and where is it written?

use std::{fs, path::Path};

use anyhow::Context;
use judge::User;

use crate::{
    bound, machine,
    measure::Measured,
    parts::{Part, Parts},
    plot,
    starts::{Kind, Starts},
    table::{Table, shown},
};

/// All that this run found.
pub struct Report {
    machine: String,
    load: String,
    failures: usize,
    /// The book's files: name and text.
    files: Vec<(&'static str, String)>,
}

/// The user, for a person.
pub fn who(user: User) -> &'static str {
    match user {
        User::Root => "root",
        User::Ordinary => "an ordinary user",
    }
}

impl Report {
    /// Nothing yet. Each command runs so often in each round; `None`: that depends on it.
    ///
    /// # Errors
    ///
    /// The machine cannot be described: /proc is not mounted.
    pub fn new(rounds: usize, each: Option<usize>) -> anyhow::Result<Report> {
        let machine = machine::description()?;
        let how = match each {
            Some(each) => {
                format!("each command ran {} times, in {rounds} rounds", rounds * each)
            }
            None => format!("in {rounds} rounds"),
        };
        Ok(Report {
            machine: format!("{machine}; {how}"),
            load: machine::load()?,
            failures: 0,
            files: Vec::new(),
        })
    }

    /// Something does not work on this machine.
    pub fn left_out(&self, what: &str, error: &anyhow::Error) {
        println!("left out: {what}: {error:#}");
    }

    /// A run failed that had worked before.
    pub fn failed(&mut self, what: &str, failure: &str) {
        println!("FAILED: {what}: {failure}");
        self.failures += 1;
    }

    /// Whether no run failed.
    pub fn is_clean(&self) -> bool {
        self.failures == 0
    }

    /// Adds the starts, and prints them.
    pub fn add_starts(&mut self, user: User, starts: &Starts) {
        let table = of_starts(starts);
        println!("\n{}", table.for_a_terminal());
        let name = match user {
            User::Root => "root.md",
            User::Ordinary => "user.md",
        };
        self.files.push((name, table.for_the_book()));
        if user == User::Root {
            self.files.push(("starts.svg", plot::of(starts)));
        }
    }

    /// Adds the parts, and prints them.
    pub fn add_parts(&mut self, parts: &Parts) {
        let line = |part: &Part| vec![part.label.to_owned(), shown(parts.cost(part))];
        let table = Table {
            heading: vec!["part", "adds ms"],
            lines: parts.parts.iter().map(line).collect(),
        };
        let failures: Vec<_> =
            parts.failures().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        println!("\n{}", table.for_a_terminal());
        failures.iter().for_each(|(label, failure)| self.failed(label, failure));
        self.files.push(("parts.md", table.for_the_book()));
    }

    /// Adds how near a stage can come to its floor, and prints it.
    pub fn add_bound(&mut self, starts: &Starts, parts: &Parts) {
        if let Some(table) = bound::table(starts, parts) {
            println!("\n{}", table.for_a_terminal());
            self.files.push(("bound.md", table.for_the_book()));
        }
    }

    /// Adds a file of the book.
    pub fn add(&mut self, name: &'static str, text: String) {
        self.files.push((name, text));
    }

    /// The last lines.
    ///
    /// # Errors
    ///
    /// /proc is not mounted.
    pub fn end(&self) -> anyhow::Result<()> {
        println!("On {}.", self.machine);
        println!("The load was {} when this began, and is {} now.", self.load, machine::load()?);
        Ok(())
    }

    /// Writes the book's files.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn write(&self) -> anyhow::Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/src/costs");
        fs::create_dir_all(&folder).context("make book/src/costs")?;
        for (name, text) in &self.files {
            fs::write(folder.join(name), text).with_context(|| format!("write {name}"))?;
            println!("wrote book/src/costs/{name}");
        }
        let is_growth = self.files.iter().any(|(name, _)| *name == "growth.md");
        let name = if is_growth {
            "machine-growth.md"
        } else {
            "machine.md"
        };
        fs::write(folder.join(name), format!("{}.\n", self.machine))
            .with_context(|| format!("write {name}"))
    }
}

fn of_starts(starts: &Starts) -> Table {
    let mut lines = Vec::new();
    for (work, name) in starts.works.iter().enumerate() {
        lines.push(vec![(*name).to_owned()]);
        for row in starts.rows.iter().filter(|row| row.work == work) {
            let is_floor = matches!(row.kind, Kind::Plain | Kind::Floor);
            let ratio = |time| match is_floor {
                true => String::new(),
                false => shown(starts.ratio(row, time)),
            };
            lines.push(vec![
                row.label.clone(),
                shown(row.measured.median()),
                ratio(Measured::median),
                shown(row.measured.least()),
                ratio(Measured::least),
                row.measured.memory().map_or("–".into(), |memory| format!("{memory:.1}")),
                row.calls.map_or("–".into(), |calls| calls.to_string()),
            ]);
        }
    }
    Table {
        heading: vec!["start", "ms", "× floor", "least", "× floor", "MiB", "calls"],
        lines,
    }
}
