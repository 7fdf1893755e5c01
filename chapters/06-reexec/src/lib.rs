// ANCHOR: intro
//! register, init, command: the program runs itself again, inside.
//!
//! [`register`] gives a function a name. [`command`] starts this program again with that
//! name as its argv\[0\]. [`init`] looks at argv\[0\]: if it is a registered name, this is the
//! second start, and the function runs. So a program can run its own code inside new
//! namespaces, before the command is there.
//!
//! ```no_run
//! use ch06_reexec::{command, init, register};
//! use lab::Exit;
//!
//! fn main() -> std::process::ExitCode {
//!     lab::run(|| {
//!         register("greet", || Ok(Exit::Code(7).into()));
//!         if let Some(outcome) = init() {
//!             return outcome;
//!         }
//!         let status = command("greet").status()?;
//!         assert_eq!(status.code(), Some(7));
//!         Ok(Exit::Code(0).into())
//!     })
//! }
//! ```
//!
//! | module | question it answers |
//! |---|---|
//! | `registry` | which function is this start to run? |
//! | `inside` | is this start inside the namespaces that the first one made? |
//! | `hostname` | what is the hostname of a container without `--hostname`? |
//! | `net` | what must be done in a new network namespace? |
//!
//! Source: execve(2), proc_pid_exe(5), pid_namespaces(7).

mod hostname;
mod inside;
mod net;
mod registry;

use std::fs::File;

use anyhow::Context;
use ch01_uts::{CLONE_NEWUTS, attempt};
use ch02_ipc::CLONE_NEWIPC;
use ch03_pid::CLONE_NEWPID;
use ch04_mount::CLONE_NEWNS;
use ch05_user_idmap::{CLONE_NEWUSER, Maps, User};
use lab::{Failure, Kind, Namespaces, Probe};

pub use hostname::{NAME_PREFIX, hostname_or_random, random_name};
pub use inside::require_inside;
pub use net::bring_up_loopback;
pub use registry::{Function, SELF, become_function, command, init, register};

/// A new network namespace (network_namespaces(7)).
pub const CLONE_NEWNET: Namespaces = Namespaces::of(Kind::Network);

/// The namespaces that a container has from here on.
pub const NAMESPACES: Namespaces = CLONE_NEWUTS
    .and(CLONE_NEWIPC)
    .and(CLONE_NEWPID)
    .and(CLONE_NEWNS)
    .and(CLONE_NEWUSER)
    .and(CLONE_NEWNET);
// ANCHOR_END: intro

// ANCHOR: root-inside
/// These maps, if they contain root: execve(2) gives capabilities to id 0 inside only, and the
/// second start needs them.
///
/// # Errors
///
/// There is no map, or none for id 0.
pub fn require_root_inside(maps: Option<Maps>) -> anyhow::Result<Maps> {
    maps.filter(|maps| maps.contains(User::ROOT)).ok_or_else(|| {
        Failure::usage(
            "no root inside: the second start would lose all capabilities at its execve; map id 0",
        )
    })
}
// ANCHOR_END: root-inside

// ANCHOR: probe
/// Can a child here be in all six new namespaces, execute this program's file again, and
/// bring its loopback up?
pub fn probe() -> Probe {
    Probe::of(attempt(NAMESPACES, || {
        File::open(SELF).with_context(|| format!("open {SELF}"))?;
        bring_up_loopback()?;
        ch04_mount::rehearse()
    }))
}
// ANCHOR_END: probe
