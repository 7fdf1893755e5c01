// ANCHOR: registry
//! Which function is this start to run?

use std::{
    collections::BTreeMap,
    env,
    os::unix::process::CommandExt,
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
};

use lab::{Next, Program, debug, info};

use crate::inside;

/// The file that this process executes (proc_pid_exe(5)).
pub const SELF: &str = "/proc/self/exe";

/// A registered function. Like a stage, it returns what comes next.
pub type Function = fn() -> anyhow::Result<Next>;

static REGISTRY: Mutex<BTreeMap<&'static str, Function>> = Mutex::new(BTreeMap::new());

fn registry() -> MutexGuard<'static, BTreeMap<&'static str, Function>> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives `function` a name under which [`command`] can start it.
///
/// # Panics
///
/// The name is registered already: a programmer's error.
pub fn register(name: &'static str, function: Function) {
    let taken = registry().insert(name, function).is_some();
    assert!(!taken, "a function is registered as {name:?} already");
    debug!("register: {name}");
}

/// Runs the function that argv\[0\] names and returns its outcome. `None` means that argv\[0\]
/// is no registered name: this is the first start.
pub fn init() -> Option<anyhow::Result<Next>> {
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
            debug!("init: argv[0] names no function: the first start");
            inside::note_outside();
            None
        }
    }
}
// ANCHOR_END: registry

// ANCHOR: command
/// A [`Command`] that starts this program again as the registered function `name`. Run it as
/// a child, or let a child of [`ch01_uts::spawn`] become it in new namespaces.
///
/// # Panics
///
/// Nothing is registered as `name`: a programmer's error.
pub fn command(name: &str) -> Command {
    let known = registry().contains_key(name);
    assert!(known, "no function is registered as {name:?}");
    debug!("command: {SELF} as {name}");
    // ANCHOR: exercise-command
    let mut command = Command::new(SELF);
    command.arg0(name);
    command
    // ANCHOR_END: exercise-command
}

/// What a process becomes to run the registered function `name`: this program again, with the
/// same arguments.
///
/// # Panics
///
/// As [`command`].
pub fn become_function(name: &str) -> Program {
    let mut again = command(name);
    again.args(env::args_os().skip(1));
    inside::hand_over(Program::of_ours(again, "child"))
}
// ANCHOR_END: command

#[cfg(test)]
mod tests {
    use lab::Exit;

    use super::*;

    fn nothing() -> anyhow::Result<Next> {
        Ok(Exit::Code(0).into())
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
