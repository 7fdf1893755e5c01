//! `rootfs DIR`: builds the small root file system that `--rootfs` and the layers use.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

/// Builds a small root file system from this machine's own programs, without a network.
#[derive(Parser)]
struct Cli {
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,

    /// A folder that is new or empty; one that holds an image is left as it is
    folder: PathBuf,
}

fn main() -> ExitCode {
    lab::run(|| {
        let cli: Cli = lab::parse()?;
        if cli.quiet {
            lab::context::set_form(lab::context::Form::Off);
        }
        lab::rootfs::build(&cli.folder)?;
        lab::info!("{} holds a small root file system", cli.folder.display());
        Ok(lab::Exit::Code(0))
    })
}
