// ANCHOR: commands
//! What do `run` and `exec` do differently for a container with privileges?

use std::fs;

use anyhow::{Context, anyhow};
use ch10_names::{NamedRunOptions, Names};
use ch11_nsenter::{ExecOptions, Target};
use ch12_walls::{exec_at, prepare, run_prepared};
use lab::{Exit, debug};
use nix::unistd::Pid;

use crate::{CapabilitySet, PrivilegeOptions, Privileges, confine::PRIVILEGES};

/// The options of `run`.
#[derive(clap::Args, Clone, Debug)]
pub struct ConfinedRunOptions {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub privileges: PrivilegeOptions,

    /// The options of the chapters below.
    #[command(flatten)]
    pub named: NamedRunOptions,
}

/// The parent: what the options mean goes to init, and into the container's entry for `exec`.
///
/// # Errors
///
/// Whatever keeps the container from being started.
pub fn run(options: &ConfinedRunOptions) -> anyhow::Result<Exit> {
    let privileges = options.privileges.privileges()?;
    // What only root of the machine may do, the container's process inherits.
    privileges.limits.grant(Pid::this())?;
    let mut prepared = prepare(&options.named)?;
    prepared.streams.also(PRIVILEGES, privileges.file()?);
    let mut named = options.named.clone();
    named.notes = privileges.to_lines();
    run_prepared(&named, prepared)
}

/// The parent: a process that joins gets no more than PID 1 got.
///
/// # Errors
///
/// As [`exec_at`]; the entry cannot be read.
pub fn exec(options: &ExecOptions) -> anyhow::Result<Exit> {
    let target = options.find_target()?;
    let privileges = given_to(&target)?;
    privileges.limits.grant(Pid::this())?;
    let mut streams = options.process.streams()?;
    streams.also(PRIVILEGES, privileges.file()?);
    exec_at(options, target, streams)
}

/// What `run` gave to the container of this process.
fn given_to(target: &Target) -> anyhow::Result<Privileges> {
    let pid = target.process().pid;
    let (given, source) = match entry_of(pid)? {
        Some((name, lines)) => {
            let given = Privileges::from_lines(&lines);
            (
                given.with_context(|| format!("the entry of {name}"))?,
                format!("run gave {name}"),
            )
        }
        // A stage below has started it, or it has no name: the kernel knows what it has.
        None => (Privileges::of_process(pid)?, format!("process {pid} has")),
    };
    // It may have given up more since.
    let privileges = given.within(CapabilitySet::of_process(pid)?);
    debug!("as {source}: {privileges}");
    Ok(privileges)
}

/// The container in whose PID namespace this process is, and the lines of its entry.
fn entry_of(pid: Pid) -> anyhow::Result<Option<(String, String)>> {
    let names = Names::of_this_user()?;
    let namespace = |pid: Pid| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let own = namespace(pid);
    for (name, container) in names.running()? {
        if own.is_some() && namespace(container.pid) == own {
            let (_, lines) =
                names.find_with_notes(&name.parse().map_err(|error: String| anyhow!(error))?)?;
            return Ok(Some((name, lines)).filter(|(_, lines)| !lines.is_empty()));
        }
    }
    Ok(None)
}
// ANCHOR_END: commands
