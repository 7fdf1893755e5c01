//! Chapter 12: what a container, and what goes into it with an `exec`, must not reach.

mod core_pattern;
mod groups;
mod ids;
mod images;
mod looks;
mod mounts;
mod processes;
mod pty;
mod refused;
mod restored;
mod sealed;
mod swap;
pub(super) mod workdir;

use super::Check;

/// In the order in which a reader meets them.
pub(super) const CHECKS: &[&[Check]] = &[
    ids::CHECKS,
    core_pattern::CHECKS,
    mounts::CHECKS,
    groups::CHECKS,
    images::CHECKS,
    refused::CHECKS,
    swap::CHECKS,
    processes::CHECKS,
    pty::CHECKS,
    restored::CHECKS,
    sealed::CHECKS,
    workdir::CHECKS,
];
