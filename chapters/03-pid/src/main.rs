// ANCHOR: all
//! Stage 3: a command that is PID 1.

use std::process::ExitCode;

use ch01_uts::{CLONE_NEWUTS, set_hostname};
use ch02_ipc::CLONE_NEWIPC;
use ch03_pid::{CLONE_NEWPID, Job, say_who_i_am};
use clap::Parser;
use lab::Program;

/// Runs a command as PID 1 of a new PID namespace, in new UTS and IPC namespaces.
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
        // Passes signals on, or sends SIGKILL if PID 1 is deaf to the signal.
        let job = Job::new()?;
        // ANCHOR: exercise-flag
        let child = job.spawn(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID, || {
            // ANCHOR_END: exercise-flag
            say_who_i_am()?; // or fails: this process must be PID 1 in here
            if let Some(name) = &cli.uts.hostname {
                set_hostname(name)?;
            }
            Ok(Program::command(&cli.lab.command))
        })?;
        job.wait(child)
    })
}
// ANCHOR_END: all
