//! Chapter 11: a command in a container that already runs.

mod endings;
mod exec;
mod groups;
mod hostile;
mod joins;
mod options;
mod place;
mod processes;
mod status;
mod target;

use super::Check;
use crate::{
    Bench,
    named::exec,
    namespaces::{self, Namespaces},
};

/// In the order in which a reader meets them.
pub(super) const CHECKS: &[&[Check]] = &[
    exec::CHECKS,
    joins::CHECKS,
    place::CHECKS,
    groups::CHECKS,
    status::CHECKS,
    processes::CHECKS,
    target::CHECKS,
    options::CHECKS,
    hostile::CHECKS,
    endings::CHECKS,
];

/// The namespaces of what `exec WORDS` runs.
fn of_exec(bench: &Bench, words: &[&str]) -> anyhow::Result<Namespaces> {
    let ended = exec(bench, words, &namespaces::script()).finish()?.must_end_with(0)?;
    namespaces::read_from(&ended.text())
}
