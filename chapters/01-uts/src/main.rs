// ANCHOR: all
//! Stage 1: a child with a hostname of its own.

use std::process::ExitCode;

use ch01_uts::{CLONE_NEWUTS, set_hostname, spawn};
use clap::Parser;
use lab::Program;

/// Runs a command in a new UTS namespace, with its own hostname.
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
        // ANCHOR: exercise-child
        let child = spawn(CLONE_NEWUTS, || {
            if let Some(name) = &cli.uts.hostname {
                set_hostname(name)?;
            }
            // The child becomes the program that this returns.
            Ok(Program::command(&cli.lab.command))
        })?;
        child.wait()
        // ANCHOR_END: exercise-child
    })
}
// ANCHOR_END: all
