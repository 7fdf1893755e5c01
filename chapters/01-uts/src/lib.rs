// ANCHOR: intro
//! clone(2), wait(2), and a hostname inside that is not the host's.
//!
//! [`spawn`] starts a child in new namespaces, [`Child::wait`] brings back how it ended,
//! and [`set_hostname`] is the first thing that a child does where only it can see it.
//!
//! | module | question it answers |
//! |---|---|
//! | `clone` | how does a process make a child in new namespaces? |
//! | `wait` | how does a parent learn how its child ended? |
//! | [`UtsOptions`], [`set_hostname`] | which name does the command line give, and who sets it? |
//! | [`attempt`] | does something work in new namespaces here? |
//!
//! Source: clone(2), waitid(2), uts_namespaces(7).

mod clone;
mod wait;

use std::ffi::{OsStr, OsString};

use anyhow::{Context, ensure};
use clap::builder::{OsStringValueParser, TypedValueParser};
use lab::{Exit, Kind, Namespaces, Probe, info};
use nix::unistd::{geteuid, sethostname};

pub use clone::{Cloned, clone, die_with_parent, raw_clone, require_one_thread, spawn};
pub use wait::{Child, Process, send, wait_for_any};

/// A new UTS namespace: a hostname and a domain name (uts_namespaces(7)).
pub const CLONE_NEWUTS: Namespaces = Namespaces::of(Kind::Uts);

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
    info!("hostname is {} now, in here", name.to_string_lossy());
    Ok(())
}
// ANCHOR_END: hostname

// ANCHOR: probe
/// Can a child here have another hostname?
pub fn probe() -> Probe {
    Probe::of(attempt(CLONE_NEWUTS, || sethostname("probe").context("sethostname")))
}

/// Tries `action` in a short-lived child in new namespaces. An ordinary user's child gets
/// a user namespace too, as the stages get one (see [`lab::borrow`]).
///
/// # Errors
///
/// What the clone or the action failed with.
pub fn attempt(
    namespaces: Namespaces,
    action: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (user, mut namespaces) = (geteuid(), namespaces);
    if !user.is_root() && !namespaces.contains(Kind::User) {
        lab::borrow::ask(user)?;
        namespaces = namespaces | Namespaces::of(Kind::User);
    }
    let mut child = spawn(namespaces, || action().map(|()| Exit::Code(0)))?;
    while !child.wait_or(&[])? {}
    let exit = child.end()?;
    ensure!(exit == Exit::Code(0), "the child ended with {exit}");
    Ok(())
}
// ANCHOR_END: probe

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clone_is_asked_for_no_time_namespace() {
        let refused = clone(Namespaces::of(Kind::Time)).unwrap_err();
        assert!(refused.to_string().contains("no time namespace"), "{refused}");
    }

    #[test]
    fn a_hostname_has_1_to_64_bytes() {
        assert!(hostname("".into()).is_err());
        assert!(hostname("a".repeat(65).into()).is_err());
        assert!(hostname("a".repeat(64).into()).is_ok());
        assert!(hostname("inside".into()).is_ok());
    }
}
