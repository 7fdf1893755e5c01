//! Stage 2: System V queues of its own.

use std::process::ExitCode;

use ch01_uts::{set_hostname, spawn};
use ch02_ipc::{NAMESPACES, prove};
use clap::Parser;

/// Runs a command in new UTS and IPC namespaces: the host's System V queues are not there.
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
        prove()?;
        let child = spawn(NAMESPACES, || {
            if let Some(name) = &cli.uts.hostname {
                set_hostname(name)?;
            }
            lab::exec(&cli.lab.command)
        })?;
        child.wait()
    })
}
