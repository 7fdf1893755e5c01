//! Who mounts the layers, so that the mounts go away with the container?
//!
//! The keeper: a process between parent and child, with a mount namespace of its own.
//! What it mounts, nobody else sees, and the kernel unmounts it when keeper and child
//! have ended, however they ended. It cannot be the child: aufs cannot be mounted in a
//! user namespace, and when the child has ended, somebody must still read the container
//! layer. For an ordinary user the keeper is root of a user namespace (as with podman),
//! so that it may mount at all, and may read and remove files of all mapped ids.

use ch01_uts::{hold_signals, spawn};
use ch04_mount::make_private;
use ch05_user_idmap::{Gate, Maps, User, become_user};
use lab::{Exit, voice};
use nix::sched::CloneFlags;

/// Runs `work` in a keeper, whose user namespace has these maps; `None`: it needs none.
///
/// # Errors
///
/// What `work` fails with, and as [`spawn`].
pub fn keep(
    maps: Option<&Maps>,
    work: impl FnOnce() -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let user_namespace = if maps.is_some() {
        CloneFlags::CLONE_NEWUSER
    } else {
        CloneFlags::empty()
    };
    let mut gate = Gate::new()?;
    let keeper = spawn(CloneFlags::CLONE_NEWNS | user_namespace, || {
        voice::speak_as("keeper");
        hold_signals()?; // nothing interrupts it when it clears up
        gate.wait()?;
        if maps.is_some() {
            become_user(User::ROOT)?;
        }
        make_private()?;
        let exit = work()?;
        std::process::exit(exit.status().into())
    })?;
    if let Some(maps) = maps {
        maps.write(keeper.pid())?;
    }
    gate.open()?;
    keeper.wait()
}
