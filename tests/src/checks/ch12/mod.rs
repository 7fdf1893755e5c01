//! Chapter 12: what must not go into a container with an `exec`.

mod sealed;
pub(super) mod workdir;

use super::Check;

/// In the order in which a reader meets them.
pub(super) const CHECKS: &[&[Check]] = &[sealed::CHECKS, workdir::CHECKS];
