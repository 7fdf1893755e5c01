// ANCHOR: all
//! Stage 13: a container whose processes may do only what they need.

use std::process::ExitCode;

use ch08_pipe_init::options::default_arguments;
use ch10_names::{Name, Names, SignalNumber, kill, ps};
use ch11_nsenter::{ExecOptions, nsexec};
use ch12_walls::{become_sealed_copy, init};
use ch13_privileges::{ConfinedRunOptions, become_confined, exec, run, stay_confined};
use clap::{Parser, Subcommand};
use lab::{Exit, Next};

/// Runs a command in a new container, or in one that runs already. Without a subcommand: `run` with
/// a shell.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Run a command in a new container
    Run(Box<ConfinedRunOptions>),
    /// Run a command in a container that runs already, or in namespaces of a process
    Exec(Box<ExecOptions>),
    /// List the containers that run and have a name
    Ps,
    /// Send a signal to PID 1 of a container
    Kill {
        /// The container's name
        name: Name,
        /// The signal, by its name or number
        #[arg(short, long, value_name = "SIGNAL", default_value = "TERM")]
        signal: SignalNumber,
    },
    /// The other side of `run`, inside
    #[command(hide = true)]
    Init,
}

fn main() -> ExitCode {
    lab::run(|| {
        // Not from a working directory of the host's (CVE-2024-21626).
        if let Some(next) = nsexec(become_confined)? {
            return Ok(next);
        }
        match lab::parse_from::<Cli>(default_arguments())?.action {
            Action::Run(options) => {
                options.named.run.apply();
                // A program that nobody inside can write to (CVE-2019-5736).
                if let Some(next) = become_sealed_copy()? {
                    return Ok(next);
                }
                return run(&options).map(Next::End);
            }
            Action::Exec(options) => {
                options.log.apply();
                if let Some(next) = become_sealed_copy()? {
                    return Ok(next);
                }
                return exec(&options).map(Next::End);
            }
            Action::Init => return init(become_confined, stay_confined),
            Action::Ps => ps(&Names::of_this_user()?)?,
            Action::Kill { name, signal } => kill(&Names::of_this_user()?, &name, signal)?,
        }
        Ok(Exit::Code(0).into())
    })
}
// ANCHOR_END: all
