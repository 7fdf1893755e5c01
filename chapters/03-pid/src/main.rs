//! Stage 3: a command that is PID 1.

use std::process::ExitCode;

use ch01_uts::{set_hostname, spawn};
use ch03_pid::{NAMESPACES, Terminal, say_who_i_am, wait_for_init};
use clap::Parser;

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
        let terminal = Terminal::find()?;
        let child = spawn(NAMESPACES, || {
            terminal.take()?;
            say_who_i_am()?;
            if let Some(name) = &cli.uts.hostname {
                set_hostname(name)?;
            }
            lab::exec(&cli.lab.command)
        })?;
        terminal.lend(child.pid())?;
        wait_for_init(child, &terminal)
    })
}
