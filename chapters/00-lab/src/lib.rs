//! The ground floor of the tower: what every chapter needs and no chapter teaches.
//!
//! Nothing here is about containers. A chapter's `main.rs` starts with [`run`], its
//! command line holds [`StageOptions`], and its child ends in [`exec()`].
//!
//! | module | question it answers |
//! |---|---|
//! | [`voice`] | who speaks, since when, and how does that survive execve(2)? |
//! | [`logger`] | how does one event become one line of the log? |
//! | [`errors`] | how does an error reach a person once, with the right exit status? |
//! | [`mod@exec`] | how does this process become the command? |
//! | [`borrow`] | how do chapters 1 to 4 run for an ordinary user? |
//! | [`why`] | why did the kernel refuse a namespace, and what is the way out? |
//! | [`probe`] | what can a chapter say about this machine? |
//! | [`rootfs`] | where does a small root file system come from, without a network? |
//! | [`programs`] | which programs are in it? |
//! | [`libraries`] | which files does a program need before it runs? |

#[cfg(not(target_os = "linux"))]
compile_error!(
    "containers are made of Linux system calls: build and run this in a Linux machine or VM"
);

pub mod borrow;
pub mod errors;
pub mod exec;
pub mod libraries;
pub mod logger;
pub mod probe;
pub mod programs;
pub mod rootfs;
pub mod voice;
pub mod why;

use std::{env, ffi::OsString, process::ExitCode};

use anyhow::Context;
use nix::sys::signal::{SigHandler, Signal, signal};

pub use borrow::become_root;
pub use errors::{Exit, Failure};
pub use exec::exec;
#[doc(hidden)]
pub use log;
pub use probe::Probe;

/// The options that every stage has.
#[derive(clap::Args, Clone, Debug)]
pub struct StageOptions {
    /// Say nothing on standard error but errors (like RUST_LOG=off)
    #[arg(short, long)]
    pub quiet: bool,

    /// What to run, with its arguments [default: a shell]
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

impl StageOptions {
    /// Turns the log off if `-q` was given.
    pub fn apply(&self) {
        if self.quiet {
            voice::set_log(voice::Log::Off);
        }
    }
}

/// The command line, as `T` describes it. `--help` and `--version` are answered here, and end the
/// process.
///
/// # Errors
///
/// Bad usage: one line, with the option that was meant if there is one like it.
pub fn parse<T: clap::Parser>() -> anyhow::Result<T> {
    parse_from(env::args_os())
}

/// As [`parse`], with this command line in place of the process's own.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_from<T: clap::Parser>(
    arguments: impl IntoIterator<Item = OsString>,
) -> anyhow::Result<T> {
    T::try_parse_from(arguments).map_err(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        Failure::usage(errors::of_usage(&error.to_string()))
    })
}

/// Runs a stage from its `main`: starts the log, reports an error once, and turns the
/// outcome into the exit status (see [`errors`]).
pub fn run(stage: impl FnOnce() -> anyhow::Result<Exit>) -> ExitCode {
    let started = voice::start();
    logger::start();
    let status = match started.and_then(|()| notice_children()).and_then(|()| stage()) {
        Ok(exit) => exit.status(),
        Err(error) => errors::report(&error),
    };
    ExitCode::from(status)
}

/// Whoever started us may have ignored SIGCHLD, and execve(2) keeps that: the kernel would
/// then reap our children itself, and forget how they ended (waitpid(2), ECHILD).
fn notice_children() -> anyhow::Result<()> {
    // SAFETY: SIG_DFL installs no handler.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.context("reset SIGCHLD")?;
    Ok(())
}
