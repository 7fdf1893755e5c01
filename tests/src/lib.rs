//! The judge: it judges the machine (the doctor), the stages (the acceptance tests) and a
//! learner's stages (the workshop).
//!
//! | module | question it answers |
//! |---|---|
//! | [`chapters`] | which chapters are there, and what do their probes say? |
//! | [`mod@bench`] | how is a stage run, as root or as an ordinary user, with a bound on its time? |
//! | [`diagnosis`] | what does the doctor say, and do the stages do as it said? |
//! | [`hang`] | what does a run that does not end wait for? |
//! | [`skips`] | which tests may be skipped? |
//! | [`summary`] | what did all tests say, in a few lines? |
//! | [`slow`] | what does a stage do whose parent is slow? |
//! | [`host`] | is the machine as it was? |
//! | [`patience()`] | how long may something take on this machine? |
//! | [`checks`] | what must hold for each chapter, and for those above it? |
//! | [`workshop`] | how does a learner write a stage, and get it judged? |
//!
//! A check asks the kernel (inodes under /proc/PID/ns, mountinfo, cgroup files), not the
//! log. It takes any binary, the book's or a learner's.

pub mod bench;
pub mod chapters;
pub mod checks;
pub mod diagnosis;
pub mod hang;
pub mod host;
mod patience;
pub mod skips;
pub mod slow;
pub mod summary;
pub mod workshop;

pub use bench::{Bench, Ended, User};
pub use checks::{Check, Outcome};
pub use patience::{patience, repetitions};
