//! `10-nsenter exec` without the sealed copy: what goes into the container is this program's
//! own file. The tests let somebody inside write to it; nobody else should use it.

use std::process::ExitCode;

use ch10_nsenter::{ExecOptions, exec, nsexec};
use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    options: ExecOptions,
}

fn main() -> ExitCode {
    lab::run(|| {
        if let Some(never) = nsexec()? {
            match never {}
        }
        let cli: Cli = lab::parse()?;
        cli.options.apply();
        exec(&cli.options)
    })
}
