//! Chapter 10: a container that can be found by its name.

mod endings;
mod entries;
mod kill;
pub(super) mod meanwhile;
mod names;
mod ps;

use super::Check;

/// In the order in which a reader meets them.
pub(super) const CHECKS: &[&[Check]] = &[
    names::CHECKS,
    ps::CHECKS,
    entries::CHECKS,
    kill::CHECKS,
    meanwhile::CHECKS,
    endings::CHECKS,
];
