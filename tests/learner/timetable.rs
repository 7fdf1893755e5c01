//! The timetable on the presenter's page.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use judge::workshop::timetable;

use crate::workshop;

/// The page has what the exercises' minutes add up to.
pub fn is_the_sum() -> anyhow::Result<()> {
    let workshop = workshop(Path::new("/"))?;
    let page = fs::read_to_string(workshop.root.join("book/src/workshop.md"))
        .context("the presenter's page")?;
    let shown = page
        .split_once("<!-- timetable -->")
        .and_then(|(_, rest)| rest.split_once("<!-- /timetable -->"));
    let (shown, _) =
        shown.context("no <!-- timetable --> … <!-- /timetable --> on the presenter's page")?;
    let sum = timetable::markdown(&workshop)?;
    ensure!(
        shown.trim() == sum.trim(),
        "`cargo run --bin workshop -- timetable` prints another one:\n{sum}"
    );
    Ok(())
}
