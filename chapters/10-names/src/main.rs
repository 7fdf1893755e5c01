// ANCHOR: all
//! Stage 10: a container with a name.

use std::process::ExitCode;

use ch08_pipe_init::options::default_arguments;
use ch10_names::{Name, NamedRunOptions, Names, SignalNumber, init, kill, ps, run};
use clap::{Parser, Subcommand};
use lab::{Exit, Next};

/// Runs a command in a container that you can find by its name. Without a subcommand: `run` with a
/// shell.
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
        match lab::parse_from::<Cli>(default_arguments())?.action {
            // Stage 9's parent, keeper and container, and an entry with the name: see run.rs.
            Action::Run(options) => return run(&options).map(Next::End),
            Action::Init { layers } => return init(layers),
            Action::Ps => ps(&Names::of_this_user()?)?,
            Action::Kill { name, signal } => kill(&Names::of_this_user()?, &name, signal)?,
        }
        Ok(Exit::Code(0).into())
    })
}
// ANCHOR_END: all
