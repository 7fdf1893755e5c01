//! Chapter 7: a container uses no more than its limits.

mod examples;
mod groups;
mod limits;
mod memory;

use super::Check;

/// In the order in which a reader meets them.
pub(super) const CHECKS: &[&[Check]] =
    &[memory::CHECKS, limits::CHECKS, groups::CHECKS, examples::CHECKS];
