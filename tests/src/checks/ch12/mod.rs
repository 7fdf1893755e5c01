//! Chapter 12: what must not go into a container with an `exec`.

mod looks;
mod pty;
mod restored;
mod sealed;
pub(super) mod workdir;

use super::Check;

/// In the order in which a reader meets them.
pub(super) const CHECKS: &[&[Check]] =
    &[pty::CHECKS, restored::CHECKS, sealed::CHECKS, workdir::CHECKS];
