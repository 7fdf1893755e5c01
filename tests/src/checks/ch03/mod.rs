//! Chapter 3: PID 1, signals, and the terminal.

mod pid_one;
mod shared_terminal;
pub(super) mod signals;
mod terminal;

use super::Check;

/// In the order in which a reader meets them.
pub(super) const CHECKS: &[&[Check]] =
    &[pid_one::CHECKS, signals::CHECKS, terminal::CHECKS, shared_terminal::CHECKS];
