//! Image layers and a container layer: whiteouts, copy-up.
//!
//! An image is a stack of folders that nobody writes to. A union file system shows them
//! as one, with one more on top: the container layer. A file that is written to is first
//! copied up into it; a file that is deleted leaves a *whiteout* there. So a hundred
//! containers share an image, and each has only what it changed.
//!
//! | module | question it answers |
//! |---|---|
//! | [`image`] | where does an image come from, when nobody names one? |
//! | [`layers`] | from which layers is the root made, and what becomes of the container layer? |
//! | [`driver`] | which union file system, and how is it mounted? |
//! | [`keeper`] | who mounts it, so that it goes away with the container? |
//! | [`mod@furnish`] | what do programs expect in a root besides files? |
//! | [`changes`] | what did the container change? |
//!
//! What this is not: a wall against root. Started by root, a container has root's own ids
//! and all capabilities in its user namespace; a program inside that wants to harm the
//! machine finds a way. A real runtime takes capabilities away, filters system calls, and
//! maps root to nobody. An ordinary user's container can do no more than that user.
//!
//! Source: Documentation/filesystems/overlayfs.rst of the kernel, aufs(5).

pub mod changes;
pub mod driver;
mod fsmount;
pub mod furnish;
pub mod image;
pub mod keeper;
pub mod layers;

use anyhow::ensure;
use ch05_user_idmap::{IdMap, MapLine, Maps};
use lab::{Exit, Probe};
use nix::{
    sched::CloneFlags,
    unistd::{getegid, geteuid},
};

pub use furnish::{furnish, protect_proc};
pub use keeper::keep;
pub use layers::{LayerOptions, Layers};

/// The new namespaces of the child: none more than the stage below has.
pub const NAMESPACES: CloneFlags = ch08_pipe_init::NAMESPACES;

/// Can layers be put together here, and be written to?
pub fn probe() -> Probe {
    // In the order in which the stage meets them.
    match try_layers() {
        Err(error) => Probe::DoesNotRun(format!("{error:#}")),
        Ok(()) => ch08_pipe_init::probe(),
    }
}

fn try_layers() -> anyhow::Result<()> {
    let none = LayerOptions {
        layer: Vec::new(),
        container_layer: None,
        driver: None,
        keep: false,
        rm: false,
    };
    let layers = Layers::find(&none)?;
    let own_ids = || {
        let line = |outside| {
            vec![MapLine {
                inside: 0,
                outside,
                size: 1,
            }]
        };
        Maps::new(
            IdMap::new("uid_map", line(geteuid().as_raw()))?,
            IdMap::new("gid_map", line(getegid().as_raw()))?,
        )
    };
    let maps = if geteuid().is_root() {
        None
    } else {
        Some(own_ids()?)
    };
    let exit = keep(maps.as_ref(), || layers.mount().map(|_| Exit::Code(0)))?;
    ensure!(exit == Exit::Code(0), "the keeper ended with {exit}");
    Ok(())
}
