// ANCHOR: intro
//! Into a container that runs already.
//!
//! clone(2) makes namespaces; setns(2) joins existing ones. That takes more than one call: only the
//! children of a process that joined a PID namespace are in it. And until a process that went in
//! becomes the command, it is a piece of the host inside the container. So PARENT starts this
//! program again, as CHILD, which joins, clones INIT and ends, as in runc's package nsenter. (There
//! this happens before Go's runtime starts its threads: a process with several threads cannot join
//! a user namespace. A Rust program has one thread when `main` begins: see the example
//! `before_main`.)
//!
//! | module | question it answers |
//! |---|---|
//! | [`options`] | which options has `exec`, and what do they mean? |
//! | [`target`] | what is there to join, and is it still the same process? |
//! | [`mod@exec`] | what does PARENT do, outside? |
//! | [`bootstrap`] | what does it send to the process that goes in? |
//! | [`mod@nsexec`] | what happens between PARENT's execve(2) and the command's? |
//!
//! Source: setns(2), pidfd_open(2), pid_namespaces(7); runc's libcontainer/nsenter.

pub mod bootstrap;
pub mod exec;
pub mod nsexec;
pub mod options;
pub mod target;

use std::ffi::CString;

use anyhow::{Context, ensure};
use ch01_uts::{CLONE_NEWUTS, spawn};
use ch05_user_idmap::{CLONE_NEWUSER, Gate};
use lab::{Exit, Namespaces, Probe};
use nix::sys::prctl;

pub use bootstrap::Bootstrap;
pub use exec::{exec, exec_in};
pub use nsexec::nsexec;
pub use options::ExecOptions;
pub use target::Target;

/// Sets the name of this process in the process list (it shows at most 15 bytes).
///
/// # Errors
///
/// As prctl(2).
pub fn name_process(name: &str) -> anyhow::Result<()> {
    let name = CString::new(name).context("a name of a process")?;
    prctl::set_name(&name).context("prctl PR_SET_NAME")
}
// ANCHOR_END: intro

// ANCHOR: probe
/// Can another process's namespaces be joined here?
pub fn probe() -> Probe {
    ch10_names::probe().but(try_to_join())
}

fn try_to_join() -> anyhow::Result<()> {
    let namespaces = CLONE_NEWUSER | CLONE_NEWUTS;
    let gate = Gate::new()?;
    let container = spawn(namespaces, || {
        gate.wait()?;
        Ok(Exit::Code(0))
    })?;
    let joined = spawn(Namespaces::NONE, || {
        let target = Target::with_pid(container.pid())?;
        let files = target.other_namespaces(namespaces)?;
        nsexec::join(target, &files, false)?;
        Ok(Exit::Code(0))
    })?;
    let exit = joined.wait()?;
    ensure!(exit == Exit::Code(0), "the child that was to join ended with {exit}");
    gate.open()?;
    let exit = container.wait()?;
    ensure!(exit == Exit::Code(0), "the child that was joined ended with {exit}");
    Ok(())
}
// ANCHOR_END: probe
