//! Chapter 5: root inside, yourself outside.

mod helpers;
mod ids;
mod maps;

use super::Check;
use crate::Bench;

/// In the order in which a reader meets them.
pub(super) const CHECKS: &[&[Check]] = &[ids::CHECKS, maps::CHECKS, helpers::CHECKS];

/// The one line of each map that take no privilege: the user's own ids, called `inside`.
pub(super) fn own_lines(bench: &Bench, inside: u32) -> (String, String) {
    let line = |own| format!("{inside}:{own}:1");
    (line(bench.user.uid()), line(bench.user.gid()))
}
