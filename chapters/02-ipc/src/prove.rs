// ANCHOR: key
//! Which queues does a process in a new IPC namespace see?

use anyhow::{Context, ensure};
use ch01_uts::{attempt, spawn};
use lab::{Exit, Namespaces, Probe, context::speak_as, info};
use nix::errno::Errno;

use crate::{CLONE_NEWIPC, Channel};

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
        let answer = if here { "yes" } else { "no (ENOENT)" };
        info!("is there a queue with key {:#x} here? {answer}", self.0);
        Ok(here)
    }
}
// ANCHOR_END: key

// ANCHOR: prove
const MADE_OUTSIDE: Key = Key(0x0c1);
const MADE_INSIDE: Key = Key(0x0c2);

/// Proves with System V calls that an IPC namespace hides queues in both directions.
///
/// Outside and inside are two new namespaces. A queue belongs to its namespace and not to the
/// process that made it, so a queue made in the host's would stay if this process were killed.
///
/// # Errors
///
/// A namespace could not be made, or a queue was visible on the other side.
pub fn prove() -> anyhow::Result<()> {
    let exit = spawn(CLONE_NEWIPC, outside)?.wait_as_usual()?;
    ensure!(exit == Exit::Code(0), "the proof ended with {exit}");
    Ok(())
}

fn outside() -> anyhow::Result<Exit> {
    speak_as("outside");
    MADE_OUTSIDE.create()?;
    let channel = Channel::new()?;
    let other = spawn(CLONE_NEWIPC, || inside(&channel))?;
    let channel = channel.in_parent()?;
    if channel.wait().is_ok() {
        ensure!(!MADE_INSIDE.is_here()?, "a queue made inside is visible outside");
        channel.say()?;
    }
    other.wait_as_usual() // if the other side has failed, this returns its error
}

fn inside(channel: &Channel) -> anyhow::Result<Exit> {
    speak_as("inside");
    let channel = channel.in_child()?;
    ensure!(!MADE_OUTSIDE.is_here()?, "a queue made outside is visible inside");
    MADE_INSIDE.create()?;
    channel.say()?;
    channel.wait()?; // its queue goes with this process: until the other side has looked
    Ok(Exit::Code(0))
}
// ANCHOR_END: prove

// ANCHOR: probe
/// Can a child here have an IPC namespace, and does the kernel have System V queues?
pub fn probe() -> Probe {
    let namespaces: Namespaces = ch01_uts::CLONE_NEWUTS | CLONE_NEWIPC;
    Probe::of(attempt(namespaces, || MADE_OUTSIDE.is_here().map(drop)))
}
// ANCHOR_END: probe
