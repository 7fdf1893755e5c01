//! The ground floor of the tower: what every chapter needs and no chapter teaches.
//!
//! Nothing here is about containers. A chapter's `main.rs` starts with [`run`], its command line
//! holds [`StageOptions`], and what a process becomes is a [`Program`].
//!
//! | module | question it answers |
//! |---|---|
//! | [`exec`] | how does this process become another program? |
//! | [`shell`] | what does a person see who gets a shell? |
//! | [`outside`] | what is new in here? |
//! | [`mod@error_pipe`] | how does a parent learn whether its child has become the command? |
//! | [`usage`] | what does a command line ask for, and what is wrong with it? |
//! | [`errors`] | how did it end, and which exit status says so? |
//! | [`log`] | how does one event become one line of the log? |
//! | [`mod@line`] | how does a line of the log look? |
//! | [`records`] | how does it become one JSON object? |
//! | `state` | what is this process now? |
//! | [`context`] | who writes to the log, since when, and how does that survive execve(2)? |
//! | [`descriptors`] | which descriptors cross an execve(2)? |
//! | [`kinds`] | which kinds of namespaces are there, and what is each called where? |
//! | [`diagnose`] | why did the kernel refuse a namespace, and what is the way out? |
//! | [`probe`] | what can a chapter say about this machine? |
//! | [`borrow`] | how do chapters 1 to 4 run for an ordinary user? |
//! | [`tree`] | how is a tree walked that another process has made, however deep it is? |
//! | [`lock`] | who uses this folder, right now? |
//! | [`rootfs`] | where does a small root file system come from, without a network? |
//! | [`programs`] | which programs are in it? |
//! | [`libraries`] | which files does a program need before it runs? |

#[cfg(not(target_os = "linux"))]
compile_error!("containers are made of Linux system calls: build this on Linux, or in a VM");

pub mod borrow;
pub mod context;
pub mod descriptors;
pub mod diagnose;
pub mod error_pipe;
pub mod errors;
pub mod exec;
pub mod kinds;
pub mod libraries;
pub mod line;
pub mod lock;
pub mod log;
pub mod outside;
pub mod probe;
pub mod programs;
pub mod records;
pub mod rootfs;
pub mod shell;
mod state;
pub mod tree;
pub mod usage;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Context;
use nix::sys::signal::{SigHandler, Signal, signal};

#[doc(hidden)]
pub use ::log as log_crate;
pub use borrow::become_root;
use context::Form;
pub use error_pipe::{ErrorPipe, Start, StartReport, error_pipe};
pub use errors::{Exit, Failure, Fault};
pub use exec::{Next, Program, go_on};
pub use kinds::{Kind, Namespaces};
pub use probe::Probe;
pub use usage::{parse, parse_from};

/// The options that every stage has.
#[derive(clap::Args, Clone, Debug)]
pub struct StageOptions {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub log: LogOptions,

    /// What to run, with its arguments [default: a shell]
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

impl StageOptions {
    /// As [`LogOptions::apply`].
    pub fn apply(&self) {
        self.log.apply();
    }
}

/// How much the log says, and in which form.
#[derive(clap::Args, Clone, Debug)]
pub struct LogOptions {
    /// Say nothing on standard error but errors (like RUST_LOG=off)
    #[arg(short, long)]
    pub quiet: bool,

    /// Show all of the log, and not one line for each idea (like RUST_LOG=debug)
    #[arg(short, long)]
    pub verbose: bool,

    /// The form of the log [default: plain]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Plain,
    /// One JSON object a line, with what the process is at that moment.
    Json,
}

impl LogOptions {
    /// Gives the log the form that was asked for, or turns it off.
    pub fn apply(&self) {
        let before = context::form();
        let form = match self.log_format {
            _ if self.quiet => Form::Off,
            Some(LogFormat::Json) => Form::Json,
            None if before == Form::Json => before, // it shows all
            _ if self.verbose => Form::Verbose,
            Some(LogFormat::Plain) => Form::Plain,
            None => before,
        };
        context::set_form(form);
        log::skip_all_if_off();
        if context::form() == Form::Json || shell::is_on_a_terminal() {
            context::outside(); // to compare with, inside
        }
    }
}

/// Runs a stage from its `main`: takes over what was handed to this process, starts the log, and
/// goes on with what the stage returns: an exit status, a program to become, or an error, which is
/// reported once.
pub fn run<N: Into<Next>>(stage: impl FnOnce() -> anyhow::Result<N>) -> ExitCode {
    let prepared = descriptors::inherit().and_then(|()| notice_children());
    log::start();
    let next = prepared.and_then(|()| stage());
    ExitCode::from(go_on(next, exec::inherited_errors()))
}

/// The process that started this one may ignore SIGCHLD, and execve(2) keeps that: the kernel
/// would then reap our children itself, and forget how they ended (waitpid(2), ECHILD).
fn notice_children() -> anyhow::Result<()> {
    // SAFETY: SIG_DFL installs no handler.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.context("reset SIGCHLD")?;
    Ok(())
}
