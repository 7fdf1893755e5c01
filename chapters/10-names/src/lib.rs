// ANCHOR: intro
//! A container that other processes can find by its name, and never mistake for another one.
//!
//! `run --name NAME` keeps a file while its container runs, `ps` reads all of them, and `kill`
//! sends the container's PID 1 a signal. Between reading a pid and using it the process may end,
//! and another one may get the pid. So an entry says more than a pid, and a signal goes through a
//! pidfd.
//!
//! | module | question it answers |
//! |---|---|
//! | [`identity`] | which process is it, if pids come back? |
//! | [`names`] | how does one process find the container that another one started? |
//! | `state` | what is in an entry, and what does it mean? |
//! | `folder` | where are the entries, and how does only one process at a time write them? |
//! | [`name`] | what may a container be called? |
//! | [`mod@ps`] | which containers run, and how do you send one a signal? |
//! | [`mod@run`] | what does `run` do differently for a container with a name? |
//!
//! Source: pidfd_open(2), pidfd_send_signal(2), proc_pid_stat(5), flock(2).

mod folder;
pub mod identity;
pub mod name;
pub mod names;
pub mod ps;
pub mod run;
mod state;

use lab::Probe;

pub use identity::{Identity, has_ended};
pub use name::Name;
pub use names::{Entry, Names, let_go_on};
pub use ps::{SignalNumber, kill, ps};
pub use run::{NamedRunOptions, init, run};
// ANCHOR_END: intro

// ANCHOR: probe
/// Can a container be found by its name here?
pub fn probe() -> Probe {
    ch09_aufs::probe().but(try_name())
}

fn try_name() -> anyhow::Result<()> {
    let name: Name = ch06_reexec::random_name()?.parse().map_err(anyhow::Error::msg)?;
    Names::of_this_user()?.reserve(&name, "").map(drop)
}
// ANCHOR_END: probe
