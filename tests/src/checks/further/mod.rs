//! What the workshop's further exercises ask for: their answers are not in the chapters.

mod ch01;
mod ch02;
mod ch03;
mod ch04;
mod ch05;
mod ch06;
mod ch07;
mod ch08;
mod ch09;
mod ch10;

use super::{Check, holds};

/// Lowest chapter first.
pub(super) fn all() -> impl Iterator<Item = &'static Check> {
    [
        ch01::CHECKS,
        ch02::CHECKS,
        ch03::CHECKS,
        ch04::CHECKS,
        ch05::CHECKS,
        ch06::CHECKS,
        ch07::CHECKS,
        ch08::CHECKS,
        ch09::CHECKS,
        ch10::CHECKS,
    ]
    .into_iter()
    .flatten()
}
