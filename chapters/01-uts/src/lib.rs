// ANCHOR: intro
//! clone(2), wait(2), and a hostname of one's own.
//!
//! [`spawn`] starts a child in new namespaces, [`Child::wait`] brings back how it ended,
//! and [`set_hostname`] is the first thing that a child does where only it can see it.
//! Source: clone(2), waitpid(2), uts_namespaces(7).

mod process;

use std::ffi::{OsStr, OsString};

use anyhow::Context;
use clap::builder::{OsStringValueParser, TypedValueParser};
use lab::Probe;
use lab::info;
use nix::{sched::CloneFlags, unistd::sethostname};

pub use process::{Arrived, Child, PASSED_ON, clone_process, die_with_parent, hold_signals, spawn};

/// The new namespaces of this stage.
pub const NAMESPACES: CloneFlags = CloneFlags::CLONE_NEWUTS;

/// The longest name that sethostname(2) takes, in bytes (`__NEW_UTS_LEN`).
const LONGEST_HOSTNAME: usize = 64;
// ANCHOR_END: intro

// ANCHOR: options
/// What this chapter adds to the command line.
#[derive(clap::Args, Clone, Debug)]
pub struct UtsOptions {
    /// The hostname inside, 1 to 64 bytes
    #[arg(long, value_name = "NAME", value_parser = OsStringValueParser::new().try_map(hostname))]
    pub hostname: Option<OsString>,
}

fn hostname(name: OsString) -> Result<OsString, String> {
    match name.len() {
        0 => Err("a hostname has at least one byte".into()),
        length if length > LONGEST_HOSTNAME => Err(format!(
            "a hostname has at most {LONGEST_HOSTNAME} bytes, this one has {length}"
        )),
        _ => Ok(name),
    }
}
// ANCHOR_END: options

// ANCHOR: hostname
/// Sets the hostname of this process's UTS namespace (sethostname(2)).
///
/// # Errors
///
/// EPERM without CAP_SYS_ADMIN in the user namespace that owns the UTS namespace.
pub fn set_hostname(name: &OsStr) -> anyhow::Result<()> {
    sethostname(name).with_context(|| format!("sethostname to {name:?}"))?;
    info!("hostname is {} now, in here", name.display());
    Ok(())
}
// ANCHOR_END: hostname

// ANCHOR: probe
/// Can a child here have a hostname of its own?
pub fn probe() -> Probe {
    Probe::of(attempt(NAMESPACES, || sethostname("probe").context("sethostname")))
}

/// Tries `deed` in a short-lived child with new namespaces. An ordinary user's child gets
/// a user namespace too, as the stages get one (see [`lab::borrow`]).
///
/// # Errors
///
/// What the clone or the deed failed with.
pub fn attempt(flags: CloneFlags, deed: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let user = nix::unistd::geteuid();
    let mut flags = flags;
    if !user.is_root() && !flags.contains(CloneFlags::CLONE_NEWUSER) {
        lab::borrow::ask(user)?;
        flags |= CloneFlags::CLONE_NEWUSER;
    }
    let child = spawn(flags, || {
        deed()?;
        std::process::exit(0)
    })?;
    let exit = child.wait()?;
    anyhow::ensure!(exit == lab::Exit::Code(0), "the child ended with {exit}");
    Ok(())
}
// ANCHOR_END: probe

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostname_has_1_to_64_bytes() {
        assert!(hostname("".into()).is_err());
        assert!(hostname("a".repeat(65).into()).is_err());
        assert!(hostname("a".repeat(64).into()).is_ok());
        assert!(hostname("inside".into()).is_ok());
    }
}
