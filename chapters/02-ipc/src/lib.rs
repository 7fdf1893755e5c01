// ANCHOR: intro
//! What a new IPC namespace hides: System V message queues, semaphores and shared memory.
//!
//! [`prove`] shows it in both directions: a queue made outside is not inside, and one
//! made inside is not outside. Source: ipc_namespaces(7), msgget(2), sysvipc(7).

use std::{
    convert::Infallible,
    io::{PipeWriter, Read, Write, pipe},
    process,
};

use anyhow::{Context, ensure};
use ch01_uts::{attempt, spawn};
use lab::info;
use lab::{Probe, voice};
use nix::{errno::Errno, sched::CloneFlags, unistd::pause};

/// The new namespaces of this stage: one more than the stage below has.
// ANCHOR: exercise-flag
pub const NAMESPACES: CloneFlags = ch01_uts::NAMESPACES.union(CloneFlags::CLONE_NEWIPC);
// ANCHOR_END: exercise-flag
// ANCHOR_END: intro

// ANCHOR: key
/// The key of a System V message queue: a number that programs agree on.
#[derive(Clone, Copy)]
struct Key(i32);

impl Key {
    /// Makes the queue in this process's IPC namespace (msgget(2) with IPC_CREAT).
    fn create(self) -> anyhow::Result<()> {
        // SAFETY: msgget takes two numbers and touches no memory of ours.
        let id = unsafe { libc::msgget(self.0, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) };
        Errno::result(id).with_context(|| format!("msgget makes the queue {:#x}", self.0))?;
        info!("made a message queue with key {:#x}", self.0);
        Ok(())
    }

    /// Is the queue in this process's IPC namespace? (msgget(2), ENOENT)
    fn is_here(self) -> anyhow::Result<bool> {
        // ANCHOR: exercise-look
        // SAFETY: as in `create`.
        let id = unsafe { libc::msgget(self.0, 0) };
        let here = match Errno::result(id) {
            Ok(_) => true,
            Err(Errno::ENOENT) => false,
            Err(errno) => {
                return Err(errno)
                    .with_context(|| format!("msgget looks for the queue {:#x}", self.0));
            }
        };
        // ANCHOR_END: exercise-look
        info!(
            "is there a queue with key {:#x} here? {}",
            self.0,
            if here { "yes" } else { "no (ENOENT)" }
        );
        Ok(here)
    }
}
// ANCHOR_END: key

// ANCHOR: prove
/// Proves with System V calls that an IPC namespace hides both ways, or says what it let through.
///
/// Outside and inside are two new namespaces: a queue belongs to its namespace and not to
/// the process that made it, so one made in the host's would stay there if we were killed.
///
/// # Errors
///
/// A namespace could not be made, or a queue was seen through the wall.
pub fn prove() -> anyhow::Result<()> {
    let exit = spawn(CloneFlags::CLONE_NEWIPC, outside)?.wait()?;
    ensure!(exit.status() == 0, "the proof ended with {exit}");
    Ok(())
}

fn outside() -> anyhow::Result<Infallible> {
    voice::speak_as("outside");
    let (made_outside, made_inside) = (Key(0x0c1), Key(0x0c2));
    made_outside.create()?;

    let (mut ready, tell) = pipe().context("make a pipe")?;
    let child = spawn(CloneFlags::CLONE_NEWIPC, || inside(made_outside, made_inside, tell))?;
    // One byte says that the other side has made its queue; none, that it failed.
    if ready.read(&mut [0]).context("wait for the other side")? == 1 {
        ensure!(!made_inside.is_here()?, "a queue made inside is visible outside");
        drop(child); // it sleeps: drop kills it, and its namespace goes with it
        process::exit(0)
    }
    let exit = child.wait()?;
    anyhow::bail!("the other side ended with {exit}")
}

fn inside(made_outside: Key, made_inside: Key, mut tell: PipeWriter) -> anyhow::Result<Infallible> {
    voice::speak_as("inside");
    ensure!(!made_outside.is_here()?, "a queue made outside is visible inside");
    made_inside.create()?;
    tell.write_all(b"!").context("tell the other side")?;
    loop {
        pause();
    }
}
// ANCHOR_END: prove

// ANCHOR: probe
/// Can a child here have an IPC namespace, and does the kernel have System V queues?
pub fn probe() -> Probe {
    Probe::of(attempt(NAMESPACES, || Key(0x0c1).is_here().map(drop)))
}
// ANCHOR_END: probe
