// ANCHOR: intro
//! register, init, command: the program runs itself again, inside.
//!
//! [`register`] gives a function a name. [`command`] starts this program again with that
//! name as its argv\[0\]. [`init`], the first thing that `main` does, looks at argv\[0\]:
//! if it is a registered name, this is the second start, and the function runs. So a
//! program can run code of its own inside new namespaces, before the command is there.
//!
//! ```no_run
//! use ch06_reexec::{command, init, register};
//!
//! fn main() -> std::process::ExitCode {
//!     lab::run(|| {
//!         register("greet", || Ok(lab::Exit::Code(7)));
//!         if let Some(outcome) = init() {
//!             return outcome;
//!         }
//!         let status = command("greet").status()?;
//!         assert_eq!(status.code(), Some(7));
//!         Ok(lab::Exit::Code(0))
//!     })
//! }
//! ```
//!
//! The two starts are two programs to the kernel: the second has none of the memory of
//! the first. What crosses execve(2) is the argument list, the environment, open
//! descriptors, ids, namespaces, and the parent-death signal (see
//! [`ch01_uts::die_with_parent`]; it is SIGKILL, because the child is a PID 1, and a PID 1
//! without a handler does not hear SIGTERM).
//! Source: execve(2), proc_pid_exe(5), pid_namespaces(7).

mod net;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    env,
    ffi::OsString,
    fs::File,
    io::Read,
    os::unix::process::CommandExt,
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use ch01_uts::attempt;
use lab::info;
use lab::{Exit, Probe, voice};
use nix::sched::CloneFlags;

pub use net::bring_up_loopback;

/// The new namespaces of this stage.
pub const NAMESPACES: CloneFlags = ch05_user_idmap::NAMESPACES.union(CloneFlags::CLONE_NEWNET);

/// The executable file of whoever asks (proc_pid_exe(5)).
pub const SELF: &str = "/proc/self/exe";

/// What a registered function looks like: as a stage, it ends with an exit status or an error.
pub type Function = fn() -> anyhow::Result<Exit>;
// ANCHOR_END: intro

// ANCHOR: registry
static REGISTRY: Mutex<BTreeMap<&'static str, Function>> = Mutex::new(BTreeMap::new());

fn registry() -> MutexGuard<'static, BTreeMap<&'static str, Function>> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives `function` a name under which [`command`] can start it.
///
/// # Panics
///
/// The name is taken: a programmer's error.
pub fn register(name: &'static str, function: Function) {
    let taken = registry().insert(name, function).is_some();
    assert!(!taken, "a function is registered as {name:?} already");
    info!("register: {name}");
}

/// Runs the function that argv\[0\] names and returns its outcome, or `None` if argv\[0\]
/// is no registered name: then this is the first start.
pub fn init() -> Option<anyhow::Result<Exit>> {
    // ANCHOR: exercise-init
    let argv0 = env::args_os().next().unwrap_or_default();
    let function = argv0.to_str().and_then(|name| registry().get(name).copied());
    // ANCHOR_END: exercise-init
    match function {
        Some(function) => {
            info!("init: argv[0] is {}, so I run it", argv0.display());
            Some(function())
        }
        None => {
            info!("init: argv[0] names no function: the first start");
            None
        }
    }
}
// ANCHOR_END: registry

// ANCHOR: command
/// This program, to be started again as the registered function `name`: a
/// [`Command`] that can be run as a child, or executed by a child that
/// [`ch01_uts::spawn`] has put into new namespaces.
///
/// # Panics
///
/// Nothing is registered as `name`: a programmer's error.
pub fn command(name: &str) -> Command {
    let known = registry().contains_key(name);
    assert!(known, "no function is registered as {name:?}");
    info!("command: {SELF} as {name}");
    // ANCHOR: exercise-command
    let mut command = Command::new(SELF);
    command.arg0(name);
    command
    // ANCHOR_END: exercise-command
}

/// Becomes the registered function `name`: executes this program again, with the same
/// arguments and with this process's voice.
///
/// # Errors
///
/// execve(2) failed.
pub fn become_function(name: &str) -> anyhow::Result<Infallible> {
    let mut again = command(name);
    again.args(env::args_os().skip(1));
    voice::hand_over(&mut again, "child")?;
    Err(again.exec()).with_context(|| format!("exec {SELF}"))
}
// ANCHOR_END: command

// ANCHOR: hostname
/// A hostname that nobody has: `container-` and eight random hexadecimal digits.
///
/// # Errors
///
/// /dev/urandom cannot be read.
pub fn random_hostname() -> anyhow::Result<OsString> {
    // ANCHOR: exercise-hostname
    let mut bytes = [0; 4];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("read /dev/urandom")?;
    Ok(format!("container-{:08x}", u32::from_ne_bytes(bytes)).into())
    // ANCHOR_END: exercise-hostname
}
// ANCHOR_END: hostname

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

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> anyhow::Result<Exit> {
        Ok(Exit::Code(0))
    }

    #[test]
    #[should_panic(expected = "registered as \"twice\" already")]
    fn a_name_is_registered_once() {
        register("twice", nothing);
        register("twice", nothing);
    }

    #[test]
    #[should_panic(expected = "no function is registered as \"nobody\"")]
    fn a_command_is_a_registered_name() {
        let _ = command("nobody");
    }

    #[test]
    fn the_first_start_runs_no_function() {
        assert!(init().is_none());
    }

    #[test]
    fn a_command_is_this_program_under_the_functions_name() {
        register("once", nothing);
        let command = command("once");
        assert_eq!(command.get_program(), SELF);
    }
}
