//! Is the marking right? Each exercise fails as handed out, its right answer passes, and
//! each known wrong answer fails with the sentence that teaches what is wrong with it.
//!
//! Run as root, as root and as an ordinary user; else as this user. The crates are built
//! one after the other, in one folder a chapter, as a learner's is, and judged beside each other.

#[path = "builder.rs"]
mod builder;
#[path = "case.rs"]
mod case;
#[path = "harness.rs"]
mod harness;
mod learner;

use std::{
    fs::Permissions, num::NonZeroUsize, os::unix::fs::PermissionsExt, path::Path, sync::Arc, thread,
};

use anyhow::Context;
use judge::{chapters::CHAPTERS, workshop::Workshop};
use libtest_mimic::Trial;

use crate::{builder::Builder, case::Case, harness::trial_or_skip};

/// The program whose hidden subcommand judges.
const PROGRAM: &str = env!("CARGO_BIN_EXE_workshop");

fn main() {
    // A trial builds, and there are two places for that; or it waits for an answer that hangs, or
    // that leaves something; the rest takes a moment.
    harness::run("workshop", (4 * processors()).min(12), || {
        let readable = Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new()
            .prefix("workshop-test-")
            .permissions(readable)
            .tempdir()
            .context("a folder for all crates")?;
        let trials = trials(folder.path())?;
        Ok((|| folder.close(), trials))
    })
}

fn trials(folder: &Path) -> anyhow::Result<Vec<Trial>> {
    let workshop = workshop(folder)?;
    workshop.build_tools()?;
    let builder = Builder::new(workshop.clone(), Path::new(PROGRAM), processors().min(2));
    let builder = Arc::new(builder);
    let mut cases = Vec::new();
    for chapter in &CHAPTERS {
        cases.extend(case::of_chapter(&workshop, chapter)?);
    }
    // Last those that have the machine alone: they would wait for the others, and these for them.
    let (sharing, alone) = cases.into_iter().partition(Case::shares_the_machine);
    let cases = [sharing, alone].map(|some| in_turn(&builder, some)).into_iter().flatten();
    let mut trials = learner::trials(folder, &builder);
    trials.extend(cases.map(|case| {
        let builder = Arc::clone(&builder);
        trial_or_skip(case.name.clone(), move || case.judged(&builder))
    }));
    Ok(trials)
}

/// One for each place where answers are built, then the next for each.
fn in_turn(builder: &Builder, cases: Vec<Case>) -> Vec<Case> {
    let mut found = [0; 2];
    let mut numbered: Vec<(usize, Case)> = cases
        .into_iter()
        .map(|case| {
            let number = &mut found[builder.place_of(case.chapter)];
            *number += 1;
            (*number, case)
        })
        .collect();
    numbered.sort_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, case)| case).collect()
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

fn workshop(folder: &Path) -> anyhow::Result<Workshop> {
    Ok(Workshop {
        folder: folder.to_owned(),
        ..Workshop::of_repository(Path::new(PROGRAM))?
    })
}
