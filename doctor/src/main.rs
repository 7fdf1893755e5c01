//! Which chapters run on this machine, and if one does not: why, and what to do.

mod json;
mod machines;
mod place;
mod probes;
mod report;
mod words;

use std::{
    ffi::OsStr,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use ch07_cgroup_memory::hierarchy::{Version, hierarchies_of};
use clap::Parser;
use judge::styles::Styles;
use lab::{Exit, Probe};
use nix::{sys::utsname::uname, unistd::geteuid};

use crate::{place::Place, probes::Answer};

/// Asks each chapter whether it runs on this machine, and if not: why, and what to do.
///
/// Exit status 0: you can learn every chapter here, though an option may be missing. 1: a chapter
/// does not run. With --report: 1 if that is so on one of the machines, or a file tells nothing.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// One JSON object, for the presenter of a workshop
    #[arg(long)]
    json: bool,

    /// Sum up the files *.json of a folder, each from the doctor of a participant's machine
    #[arg(long, value_name = "FOLDER", conflicts_with = "json")]
    report: Option<PathBuf>,

    /// Ask this chapter only, and print nothing but why it does not run
    #[arg(long, value_name = "NAME", hide = true)]
    chapter: Option<String>,
}

/// What was asked.
struct Machine {
    /// The kernel's release.
    kernel: String,
    /// The processor, in the kernel's words.
    arch: String,
    /// Who asks.
    uid: u32,
    /// The versions of cgroups that are mounted: `v1`, `v2`, `v1+v2` or `none`.
    cgroup: &'static str,
    /// What stands around it.
    place: Place,
}

impl Machine {
    fn this() -> anyhow::Result<Machine> {
        let name = uname().context("uname")?;
        let text = |field: &OsStr| field.to_string_lossy().into_owned();
        let mounted = hierarchies_of("self")?;
        let has = |version| mounted.iter().any(|hierarchy| hierarchy.version == version);
        Ok(Machine {
            kernel: text(name.release()),
            arch: text(name.machine()),
            uid: geteuid().as_raw(),
            cgroup: match (has(Version::V1), has(Version::V2)) {
                (true, true) => "v1+v2",
                (true, false) => "v1",
                (false, true) => "v2",
                (false, false) => "none",
            },
            place: Place::this(),
        })
    }
}

fn main() -> ExitCode {
    lab::run(|| {
        let cli: Cli = lab::parse()?;
        if let Some(folder) = &cli.report {
            return report(folder);
        }
        // What the probes try is no news; only their answers are.
        log::set_max_level(log::LevelFilter::Off);
        if let Some(name) = &cli.chapter {
            return one(name);
        }
        let machine = Machine::this()?;
        let answers: Vec<Answer> = probes::all().collect();
        let text = if cli.json {
            json::of(&machine, &answers)?
        } else {
            words::of(&machine, &answers, Styles::of_output())
        };
        std::io::stdout().write_all(text.as_bytes())?;
        let blocked = answers.iter().any(|(_, probe)| matches!(probe, Probe::DoesNotRun(_)));
        Ok(Exit::Code(u8::from(blocked)))
    })
}

/// For the workshop, which marks one chapter.
fn one(name: &str) -> anyhow::Result<Exit> {
    let probe = probes::one(name).with_context(|| format!("there is no chapter {name}"))?;
    if let Probe::DoesNotRun(reason) = probe {
        writeln!(std::io::stdout(), "{reason}")?;
        return Ok(Exit::Code(1));
    }
    Ok(Exit::Code(0))
}

fn report(folder: &Path) -> anyhow::Result<Exit> {
    let room = machines::read(folder)?;
    let text = report::of(&room, Styles::of_output());
    std::io::stdout().write_all(text.as_bytes())?;
    let is_blocked = room.machines.iter().any(machines::Machine::is_blocked);
    Ok(Exit::Code(u8::from(is_blocked || !room.unread.is_empty())))
}
