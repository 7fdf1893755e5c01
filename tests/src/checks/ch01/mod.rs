//! Chapter 1: clone(2), wait(2), a hostname of its own; and what every command may expect.

mod bad_input;
mod by_hand;
mod command;
mod early;
mod endings;
mod hostname;
pub(super) mod log;
mod on_a_terminal;
mod records;
pub(super) mod shell;
pub(super) mod signals;

use super::Check;

/// In the order in which a reader meets them.
pub(super) const CHECKS: &[&[Check]] = &[
    hostname::CHECKS,
    command::CHECKS,
    log::CHECKS,
    on_a_terminal::CHECKS,
    records::CHECKS,
    shell::CHECKS,
    endings::CHECKS,
    signals::CHECKS,
    early::CHECKS,
    bad_input::CHECKS,
    by_hand::CHECKS,
];
