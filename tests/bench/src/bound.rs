//! How near to its floor can a stage come?
//!
//! The floor starts once, and is written in C. A stage starts twice, and is written in Rust. What
//! that costs is there before its own code runs.

use crate::{
    measure::Measured,
    parts::{AGAIN, NOTHING, NOTHING_STATIC, PLAIN, Parts},
    starts::{Kind, Starts},
    table::{Table, shown},
};

/// The stage that is compared, and its static build.
const STAGE: [&str; 2] = ["08-pipe-init", "08-pipe-init, static"];

/// The table: what the floor, two empty starts, and the stage take. `None` if a part is missing
/// here.
pub fn table(starts: &Starts, parts: &Parts) -> Option<Table> {
    let rows = STAGE.map(|stage| starts.rows.iter().find(|row| row.label == stage));
    let work = rows[0]?.work;
    let floor = starts.rows.iter().find(|row| row.work == work && row.kind == Kind::Floor)?;
    let floor = floor.measured.least()?;
    let again = floor + parts.cost_of(AGAIN)?;
    let line = |label: &str, least: f64| {
        vec![label.to_owned(), shown(Some(least)), shown(Some(least / floor))]
    };
    let mut lines =
        vec![line("the floor", floor), line("the floor, which runs itself again", again)];
    for (nothing, row, kind) in [(NOTHING, rows[0], ""), (NOTHING_STATIC, rows[1], ", static")] {
        let further = parts.cost_of(nothing)? - parts.cost_of(PLAIN)?;
        lines.push(line(
            &format!("the same in Rust, if it does nothing{kind}"),
            again + 2.0 * further,
        ));
        let stage = row.and_then(|row| Measured::least(&row.measured));
        lines.extend(stage.map(|stage| line(&format!("stage 8{kind}"), stage)));
    }
    Some(Table {
        heading: vec!["start", "least", "× floor"],
        lines,
    })
}
