//! Builds the machine that runs in the book's pages: a Linux of Debian's for i686 with the stages
//! in it, started, and kept as a snapshot that an emulator in the browser goes on from.
//!
//! | module | question it answers |
//! |---|---|
//! | [`packages`] | which of Debian's programs are in it, and which libraries do they need? |
//! | [`root`] | what is on its disk? |
//! | [`site`] | which files do the pages fetch? |
//! | [`transcripts`] | which of the book's transcripts run in it? |
//!
//! `guest` has the scripts that run in there, and `snapshot.mjs` starts it in Node.

mod packages;
mod root;
mod site;
mod transcripts;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::Context;
use clap::Parser;
use kernels::tools::run;
use lab::exec::find;

/// The programs that this calls, and their Debian packages.
const NEEDED: [(&str, &str); 9] = [
    ("apt-get", "apt"),
    ("cpio", "cpio"),
    ("dpkg-deb", "dpkg"),
    ("gzip", "gzip"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("readelf", "binutils"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
];

/// Builds the machine that runs in the book's pages, into target/machine/site.
///
/// The stages are compiled for i686, and the kernel and the programs come from Debian's archive.
/// Nothing is installed.
#[derive(Parser)]
struct Cli {}

fn main() -> ExitCode {
    Cli::parse();
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("machine: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> anyhow::Result<()> {
    for (program, package) in NEEDED {
        let found = find(program.as_ref(), env::var_os("PATH").as_deref());
        found.with_context(|| format!("{program} is not here: install the package {package}"))?;
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = folder(&own.join("../../target/machine"))?;
    say("Debian's packages");
    let debian = packages::fetch(&place)?;
    say("the stages, for i686");
    let stages = root::stages(&place)?;
    say("the disk");
    let boot = root::build(&debian, &stages, &place)?;
    say("the emulator and the terminal");
    run(Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--silent"])
        .current_dir(own))?;
    say("the machine starts, in an emulator: about a minute");
    let state = place.join("state");
    run(Command::new("node").arg(own.join("snapshot.mjs")).args([
        &boot.bios,
        &boot.kernel,
        &boot.initramfs,
        &state,
    ]))?;
    say("the snapshot, packed");
    let packed = place.join("state.zst");
    run(Command::new("zstd")
        .args(["--quiet", "--force", "-19", "--long=27", "-T0", "-o"])
        .args([&packed, &state]))?;
    fs::remove_file(&state)?;
    let site = site::collect(&packed, &debian.sources, own, &place)?;
    println!("{}: {:.1} MB", site.folder.display(), site.bytes as f64 / 1e6);
    Ok(())
}

fn say(what: &str) {
    println!("== {what}");
}

/// The folder, made if it is not there.
fn folder(path: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(path).with_context(|| format!("create {}", path.display()))?;
    Ok(path.canonicalize()?)
}
