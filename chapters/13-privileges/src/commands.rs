// ANCHOR: commands
//! What do `run` and `exec` do differently for a container with privileges?

use anyhow::Context;
use ch10_names::{NamedRunOptions, Names};
use ch11_nsenter::{ExecOptions, Target};
use ch12_walls::{exec_at, prepare, run_prepared};
use lab::{Exit, info};
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
    let (target, privileges) = look_up(options)?;
    let mut streams = options.process.streams()?;
    streams.also(PRIVILEGES, privileges.file()?);
    exec_at(options, target, streams)
}

fn look_up(options: &ExecOptions) -> anyhow::Result<(Target, Privileges)> {
    let Some(name) = &options.name else {
        let target = options.find_target()?;
        let privileges = Privileges::of_process(target.process().pid)?;
        info!("as the target has: {privileges}");
        return Ok((target, privileges));
    };
    let (container, notes) = Names::of_this_user()?.find(name)?;
    let target = Target::of(container).with_context(|| name.to_string())?;
    // A stage below has started it: the kernel knows what it has.
    let given = match notes.is_empty() {
        true => Privileges::of_process(container.pid)?,
        false => Privileges::from_lines(&notes).with_context(|| format!("the entry of {name}"))?,
    };
    // PID 1 may have given up more since.
    let privileges = given.within(CapabilitySet::of_process(container.pid)?);
    info!("as PID 1 of {name} got: {privileges}");
    Ok((target, privileges))
}
// ANCHOR_END: commands
