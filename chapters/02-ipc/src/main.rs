// ANCHOR: all
//! Stage 2: System V queues of its own.

use std::process::ExitCode;

use ch01_uts::{CLONE_NEWUTS, set_hostname, spawn};
use ch02_ipc::{CLONE_NEWIPC, prove};
use clap::Parser;
use lab::Program;

/// Runs a command in new UTS and IPC namespaces: it sees no System V queue of the host.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    uts: ch01_uts::UtsOptions,
    #[command(flatten)]
    lab: lab::StageOptions,
}

fn main() -> ExitCode {
    lab::run(|| {
        let cli: Cli = lab::parse()?;
        cli.lab.apply();
        lab::become_root()?;
        prove()?; // a demonstration: two processes, and neither sees the other's queue
        // ANCHOR: exercise-flag
        let child = spawn(CLONE_NEWUTS | CLONE_NEWIPC, || {
            // ANCHOR_END: exercise-flag
            if let Some(name) = &cli.uts.hostname {
                set_hostname(name)?;
            }
            Ok(Program::command(&cli.lab.command))
        })?;
        child.wait()
    })
}
// ANCHOR_END: all
