// ANCHOR: all
//! Stage 11: a container that you can join while it runs.

use std::process::ExitCode;

use ch08_pipe_init::{become_container, options::default_arguments};
use ch10_names::{Name, NamedRunOptions, Names, SignalNumber, init, kill, ps, run};
use ch11_nsenter::{ExecOptions, exec, nsexec};
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
    Init {
        #[arg(long)]
        layers: bool,
    },
}

fn main() -> ExitCode {
    lab::run(|| {
        // The second start of `exec` goes in, before anything else is done.
        if let Some(next) = nsexec(become_container)? {
            return Ok(next);
        }
        match lab::parse_from::<Cli>(default_arguments())?.action {
            Action::Run(options) => return run(&options).map(Next::End),
            Action::Exec(options) => {
                options.log.apply();
                return exec(&options).map(Next::End);
            }
            Action::Init { layers } => return init(layers),
            Action::Ps => ps(&Names::of_this_user()?)?,
            Action::Kill { name, signal } => kill(&Names::of_this_user()?, &name, signal)?,
        }
        Ok(Exit::Code(0).into())
    })
}
// ANCHOR_END: all
