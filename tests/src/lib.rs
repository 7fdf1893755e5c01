//! The judge: it judges the stages (the acceptance tests) and a learner's stages (the workshop).
//! It depends on no chapter: what it judges is a program.
//!
//! | module | question it answers |
//! |---|---|
//! | [`checks`] | what must hold for each chapter, and for those above it? |
//! | [`login`] | who runs the stage, with which ids, groups and environment? |
//! | [`mod@bench`] | how is a stage run, with a bound on its time? |
//! | [`host`] | is the machine as it was? |
//! | [`process`], [`namespaces`], [`cgroups`] | what does the kernel say of a process? |
//! | [`layered`], [`named`] | how is a container with layers run, and one with a name? |
//! | [`breach`] | what does an attacker inside get to? |
//! | [`terminal`] | how is a stage run on a terminal? |
//! | [`delegation`], [`granted`] | how does an ordinary user get a cgroup, and further ids? |
//! | [`seccomp`] | how does a test make the kernel refuse a system call? |
//! | [`unread`] | what does a program do whose output nobody reads? |
//! | [`hang`] | what does a run that does not end wait for? |
//! | [`slow`] | what does a stage do whose parent is slow? |
//! | [`opens`] | which files do a stage's processes write to, once they are inside? |
//! | [`records`] | what does the log in JSON say of each process? |
//! | [`reused`] | what does `exec` do whose target's pid is given to another process? |
//! | [`mod@told`] | how is a person told what was found? |
//! | [`patience()`] | how long may something take on this machine? |
//! | [`chapters`] | which chapters are there? |
//! | [`diagnosis`] | what does the doctor say, and do the stages do as it said? |
//! | [`styles`] | in which colours does a program speak, and when in none? |
//! | [`skips`] | which tests may be skipped? |
//! | [`summary`] | what did all tests say, in a few lines? |
//! | [`workshop`] | how does a learner write a stage, and get it judged? |
//!
//! A check asks the kernel (inodes under /proc/PID/ns, mountinfo, cgroup files), not the log,
//! and with the judge's own eyes, not with the code that it judges. It takes any binary, the
//! book's or a learner's.

pub mod bench;
pub mod breach;
pub mod cgroups;
pub mod chapters;
pub mod checks;
pub mod delegation;
pub mod diagnosis;
pub mod granted;
pub mod hang;
pub mod host;
pub mod layered;
pub mod login;
pub mod named;
pub mod namespaces;
pub mod opens;
mod patience;
pub mod process;
pub mod records;
pub mod reused;
pub mod seccomp;
pub mod skips;
pub mod slow;
pub mod styles;
pub mod summary;
pub mod terminal;
pub mod told;
pub mod unread;
pub mod workshop;

pub use bench::{Bench, Ended};
pub use checks::{Check, Outcome};
pub use login::User;
pub use patience::{patience, repetitions};
pub use told::told;
