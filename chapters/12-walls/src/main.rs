// ANCHOR: all
//! Stage 12: a container with walls, which root inside can neither remove nor go around.

use std::process::ExitCode;

use ch08_pipe_init::{leave_the_keyring, options::default_arguments};
use ch10_names::{Name, NamedRunOptions, Names, SignalNumber, kill, ps};
use ch11_nsenter::{ExecOptions, nsexec};
use ch12_walls::{become_command_inside, become_sealed_copy, exec, init, run};
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
    Run(Box<NamedRunOptions>),
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
        if let Some(next) = nsexec(become_command_inside)? {
            return Ok(next);
        }
        match lab::parse_from::<Cli>(default_arguments())?.action {
            Action::Run(options) => {
                options.run.apply();
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
            Action::Init => return init(become_command_inside, leave_the_keyring),
            Action::Ps => ps(&Names::of_this_user()?)?,
            Action::Kill { name, signal } => kill(&Names::of_this_user()?, &name, signal)?,
        }
        Ok(Exit::Code(0).into())
    })
}
// ANCHOR_END: all
