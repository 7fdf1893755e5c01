// ANCHOR: intro
//! What a container can reach: walls that root inside can neither remove nor go around.
//!
//! Up to chapter 11 root inside could take away what protected the machine: it had mounted that
//! itself, and where root started the container, it was root of the machine. Here root's containers
//! have ids that nobody has outside, a process outside mounts, and the container gets a copy whose
//! mounts are locked.
//!
//! | module | question it answers |
//! |---|---|
//! | [`mod@run`] | what do keeper and init do differently? |
//! | [`shifted`] | why is root inside not root of the machine? |
//! | `mounts` | how is a mount copied, and how are the owners in it shown as others? |
//! | `room` | what does the keeper build, before anybody is inside? |
//! | `copy` | how does the container get into it, and why can it change none of it? |
//! | `limits` | why can root inside not raise the container's limits? |
//! | `place` | how is a name in an image looked up, so that it cannot lead out of it? |
//! | [`pty`] | what does a container get in place of the caller's terminal? |
//! | [`caller`] | how does your terminal hand over every key, and become again what it was? |
//! | [`relay`] | who copies between the caller's terminal and the container's? |
//! | `typing` | how does what you type get to the container's terminal? |
//! | [`mod@exec`] | what does `exec` do differently? |
//! | [`sealed`] | how can a process go in without taking the program's file along? |
//! | [`inside`] | does this process stand inside its root? |
//!
//! What is left open is what its processes may call.
//!
//! Source: user_namespaces(7), mount_namespaces(7), cgroup_namespaces(7), openat2(2), pty(7),
//! memfd_create(2).

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
