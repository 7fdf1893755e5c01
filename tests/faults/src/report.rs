//! What was tried, how often, and what was found?

use std::{fmt::Write, fs, path::Path};

use anyhow::Context;
use judge::{User, told};
use nix::sys::utsname::uname;

use crate::{
    attempt::{Attempt, End},
    calls::ERRORS,
    case::{Case, Fault, Moment, ROLES},
    shortage::Shortage,
    stages::stages,
};

/// All that was tried.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
    /// Kinds of findings, and how often.
    findings: Vec<(String, usize)>,
    /// Faults that were planned and did not come: the process made no such call this time.
    unhurt: usize,
    /// All faults that there are, of which some were tried.
    pub possible: usize,
}

#[derive(Default)]
struct Row {
    label: String,
    as_root: usize,
    as_user: usize,
    went_on: usize,
    ended: usize,
    left: usize,
    findings: usize,
}

impl Report {
    /// Adds a fault, and prints what was found.
    pub fn add(&mut self, case: &Case, attempt: Attempt) {
        let has_findings = !attempt.findings.is_empty();
        if has_findings {
            let text = attempt.findings.join("; ");
            println!("FOUND: {text}; it said {}", told(attempt.said.trim()));
            println!("       make faults ARGS=\"--only '{case}'\"");
            self.note(case, &attempt.findings[0]);
        }
        if attempt.end == End::Unhurt && !has_findings {
            self.unhurt += 1;
            return;
        }
        let row = self.row(label(case));
        *match case.user {
            User::Root => &mut row.as_root,
            User::Ordinary => &mut row.as_user,
        } += 1;
        row.went_on += usize::from(attempt.end == End::WentOn);
        row.ended += usize::from(attempt.end == End::Ended);
        row.left += usize::from(attempt.left > 0);
        row.findings += usize::from(has_findings);
    }

    /// The book has what was found where, once.
    fn note(&mut self, case: &Case, what: &str) {
        // Not the pids of what hangs.
        let what = what.split_once(": ").map_or(what, |(what, _)| what);
        let (stage, role) = (case.chapter.name, case.role.name());
        let kind = match case.fault {
            Fault::Short(shortage) => format!("stage {stage}, {}: {what}", shortage.label()),
            Fault::Kill => format!("stage {stage}, the {role} is killed: {what}"),
            Fault::Fail(call, errno) => {
                format!("stage {stage}, {errno:?} for `{}` of the {role}: {what}", call.name)
            }
        };
        match self.findings.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, times)) => *times += 1,
            None => self.findings.push((kind, 1)),
        }
    }

    /// How many faults were tried.
    pub fn tried(&self) -> usize {
        self.rows.iter().map(|row| row.as_root + row.as_user).sum()
    }

    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn row(&mut self, label: String) -> &mut Row {
        let index = self.rows.iter().position(|row| row.label == label);
        let index = index.unwrap_or_else(|| {
            self.rows.push(Row {
                label,
                ..Row::default()
            });
            self.rows.len() - 1
        });
        &mut self.rows[index]
    }

    /// The table, in Markdown.
    pub fn table(&self) -> String {
        let mut text =
            "| fault | as root | as a user | went on | ended | left something | findings |\n\
                        |---|--:|--:|--:|--:|--:|--:|\n"
                .to_owned();
        let order = labels();
        for label in &order {
            if let Some(row) = self.rows.iter().find(|row| row.label == *label) {
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {} | {} | {} | {} |",
                    row.label,
                    row.as_root,
                    row.as_user,
                    row.went_on,
                    row.ended,
                    row.left,
                    row.findings
                );
            }
        }
        text
    }

    /// What was tried of what is possible, in a sentence.
    ///
    /// # Errors
    ///
    /// As uname(2).
    pub fn summary(&self, how: &str) -> anyhow::Result<String> {
        let name = uname().context("uname")?;
        let release = name.release().to_string_lossy();
        let release: Vec<&str> = release.split('.').take(2).collect();
        let stages: Vec<&str> = stages().iter().map(|chapter| chapter.name).collect();
        Ok(format!(
            "Linux {} on {}, stages {}: {} faults of {} possible ones ({how}); {} more did not \
             come about: the process had ended, or made other calls that time.",
            release.join("."),
            name.machine().to_string_lossy(),
            stages.join(", "),
            self.tried(),
            self.possible,
            self.unhurt,
        ))
    }

    /// Writes the book's file.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn write(&self, how: &str) -> anyhow::Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/src/faults");
        fs::create_dir_all(&folder).context("make book/src/faults")?;
        let mut text = format!("{}\n\n{}", self.summary(how)?, self.table());
        if !self.is_clean() {
            text += "\nThis does not hold yet:\n\n";
        }
        for (finding, times) in &self.findings {
            let times = match times {
                1 => "once".into(),
                times => format!("{times} times"),
            };
            let _ = writeln!(text, "- {finding} ({times})");
        }
        fs::write(folder.join("table.md"), text).context("write table.md")?;
        println!("wrote book/src/faults/table.md");
        Ok(())
    }
}

/// The row of a case.
fn label(case: &Case) -> String {
    match (case.fault, case.moment) {
        (Fault::Short(shortage), _) => shortage.label().into(),
        (Fault::Kill, Moment::Call(_)) => format!("SIGKILL for the {} at a call", case.role.name()),
        (Fault::Kill, _) => AT_ANY_MOMENT.into(),
        (Fault::Fail(_, errno), _) => format!("{errno:?}"),
    }
}

const AT_ANY_MOMENT: &str = "SIGKILL at a random moment";

/// All rows, in their order.
fn labels() -> Vec<String> {
    let killed = ROLES.iter().map(|role| format!("SIGKILL for the {} at a call", role.name()));
    let failed = ERRORS.iter().map(|errno| format!("{errno:?}"));
    let short = Shortage::LABELS.map(str::to_owned);
    killed.chain([AT_ANY_MOMENT.to_owned()]).chain(failed).chain(short).collect()
}
