//! Into a container that already runs.
//!
//! clone(2) makes namespaces; setns(2) joins those that another process has. That takes more
//! than one call: a process that joined a PID namespace is not in it, only its children are;
//! and until it becomes the command it is a piece of the host inside the container. So the
//! parent starts this program again, as CHILD, which joins, clones INIT and leaves: as runc's
//! package nsenter does. (There it runs before Go's own runtime, which starts threads, and a
//! process with threads cannot join a user namespace. A Rust program has one thread when
//! `main` begins.)
//!
//! | module | question it answers |
//! |---|---|
//! | [`state`] | how does one process find the container that another one started? |
//! | [`started`] | which process is it, when pids come back? |
//! | [`ready`] | how does whoever keeps the container know that init has set it up? |
//! | [`mod@exec`] | what does the parent do? |
//! | [`target`] | what is there to join, and is it still the same process? |
//! | [`bootstrap`] | what does the parent tell the one that goes in? |
//! | [`init_pipe`] | how do the three processes talk to each other? |
//! | [`mod@nsexec`] | what happens between the parent's execve and the command's? |
//! | [`sealed`] | how does one go in without lending out the program's own file? |
//!
//! Source: setns(2), pidfd_open(2), memfd_create(2); runc's libcontainer/nsenter.

pub mod bootstrap;
pub mod exec;
mod folder;
pub mod init_pipe;
mod name;
pub mod nsexec;
pub mod ready;
pub mod sealed;
pub mod started;
pub mod state;
pub mod target;

use std::process;

use anyhow::ensure;
use ch01_uts::spawn;
use ch05_user_idmap::Gate;
use lab::{Exit, Probe};
use nix::sched::CloneFlags;

pub use bootstrap::Bootstrap;
pub use exec::{ExecOptions, exec};
pub use init_pipe::InitPipe;
pub use name::Name;
pub use nsexec::nsexec;
pub use ready::Ready;
pub use sealed::become_sealed_copy;
pub use started::Started;
pub use state::Entry;
pub use target::Target;

/// The new namespaces of a container: none more than the stage below has.
pub const NAMESPACES: CloneFlags = ch09_aufs::NAMESPACES;

/// Can a program be executed from memory here, and another process's namespaces be joined?
pub fn probe() -> Probe {
    // In the order in which the stage meets them: `run` needs the copy too.
    match sealed::sealed_copy(&mut &b"a program"[..]) {
        Err(error) => Probe::DoesNotRun(format!("{error:#}")),
        Ok(_) => ch09_aufs::probe().but(try_to_join()),
    }
}

fn try_to_join() -> anyhow::Result<()> {
    let flags = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWUTS;
    let mut gate = Gate::new()?;
    let container = spawn(flags, || {
        gate.wait()?;
        process::exit(0)
    })?;
    let joined = spawn(CloneFlags::empty(), || {
        let target = Target::with_pid(container.pid())?;
        let namespaces = target.namespaces(flags)?;
        nsexec::join(target, &namespaces, false)?;
        process::exit(0)
    })?;
    let exit = joined.wait()?;
    ensure!(exit == Exit::Code(0), "the child that was to join ended with {exit}");
    gate.open()?;
    let exit = container.wait()?;
    ensure!(exit == Exit::Code(0), "the child that was joined ended with {exit}");
    Ok(())
}
