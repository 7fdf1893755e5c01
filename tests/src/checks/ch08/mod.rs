//! Chapter 8: the command arrives byte for byte; PID 1; the streams; many at a time.

mod container;
mod init;
mod keys;
mod load;
mod message;
mod streams;

pub(super) use load::many_start;

use super::Check;

/// In the order in which a reader meets them.
pub(super) const CHECKS: &[&[Check]] = &[
    message::CHECKS,
    container::CHECKS,
    streams::CHECKS,
    init::CHECKS,
    keys::CHECKS,
    load::CHECKS,
];
