//! `rootfs DIR`: builds the small root file system that `--rootfs` and the layers use.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

/// Builds a small root file system from this machine's own programs, without a network.
#[derive(Parser)]
struct Cli {
    /// A folder that is new or empty
    folder: PathBuf,
}

fn main() -> ExitCode {
    lab::run(|| {
        let cli: Cli = lab::parse()?;
        lab::rootfs::build(&cli.folder)?;
        lab::info!("{} is a root file system now", cli.folder.display());
        Ok(lab::Exit::Code(0))
    })
}
