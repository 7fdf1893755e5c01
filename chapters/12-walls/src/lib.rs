// ANCHOR: intro
//! What must not go into a container with an `exec`.
//!
//! A process that goes in takes more along than its command: the file of its program, and the
//! folder that it stands in. Each of the two has been a way out of runc's containers.
//!
//! | module | question it answers |
//! |---|---|
//! | [`sealed`] | how can a process go in without taking the program's file along? |
//! | [`inside`] | does this process stand inside its root? |
//! | [`pty`] | what does a container get in place of the caller's terminal? |
//! | [`caller`] | how does your terminal hand over every key, and become again what it was? |
//! | [`relay`] | who copies between the caller's terminal and the container's? |
//! | `typing` | how does what you type get to the container's terminal? |
//!
//! Source: memfd_create(2), fcntl(2), getcwd(2); CVE-2019-5736, CVE-2024-21626.

pub mod caller;
mod copy;
pub mod exec;
pub mod inside;
mod limits;
mod mounts;
mod place;
pub mod pty;
pub mod relay;
mod room;
pub mod run;
pub mod sealed;
pub mod shifted;
mod typing;

use lab::Probe;

pub use exec::{exec, exec_at};
pub use inside::{arrive, become_command_inside};
pub use run::{init, prepare, run, run_prepared};
pub use sealed::become_sealed_copy;
// ANCHOR_END: intro

// ANCHOR: probe
/// Can a program be executed from memory here, and a container have walls?
pub fn probe() -> Probe {
    // In the order in which the stage meets them: `run` needs the copy too.
    match sealed::sealed_copy(&mut &b"a program"[..]) {
        Err(error) => Probe::DoesNotRun(format!("{error:#}")),
        Ok(_) => match run::rehearse() {
            Err(error) => Probe::DoesNotRun(format!("{error:#}")),
            Ok(()) => ch11_nsenter::probe(),
        },
    }
}
// ANCHOR_END: probe
