// ANCHOR: intro
//! Image layers and a container layer: whiteouts, copy-up.
//!
//! An image is a stack of folders that nobody writes to. A union file system shows them as one,
//! with one more on top: the container layer. A file that is written to is first copied up into
//! it; a file that is deleted leaves a *whiteout* there. So a hundred containers share an image,
//! and each has only what it changed.
//!
//! | module | question it answers |
//! |---|---|
//! | [`layers`] | from which layers is the root made, and who else may use them meanwhile? |
//! | [`keeper`] | who mounts them, so that the mounts go away with the container? |
//! | [`root`] | how does the keeper make a root of them, and what becomes of them at the end? |
//! | [`mod@furnish`] | what do programs expect in a root besides files? |
//! | [`changes`] | what did the container change? |
//! | [`driver`] | which union file system puts the layers together? |
//! | `overlay`, `aufs`, `fsmount` | how is each told of the layers? |
//! | `whiteout` | what does an entry of a layer stand for? |
//! | `scratch` | what does a run need beside its container layer, and what if it is killed? |
//! | [`image`] | where does an image come from, when nobody names one? |
//!
//! What this is not: a wall against root. Started by root, a container has root's own ids and all
//! capabilities in its user namespace; a program inside that wants to harm the machine finds a
//! way. A real runtime takes capabilities away, filters system calls, and maps root to nobody. An
//! ordinary user's container can do no more than that user.
//!
//! Source: Documentation/filesystems/overlayfs.rst of the kernel, aufs(5).

mod aufs;
pub mod changes;
pub mod driver;
mod fsmount;
pub mod furnish;
pub mod image;
pub mod keeper;
pub mod layers;
mod overlay;
pub mod root;
mod scratch;
mod whiteout;

use anyhow::ensure;
use ch03_pid::{Job, Terminal};
use ch05_user_idmap::Maps;
use lab::{Exit, Probe};
use nix::unistd::geteuid;

pub use furnish::{furnish, protect_proc};
pub use keeper::{Parent, keep};
pub use layers::{LayerOptions, Layers};
pub use root::Root;
pub use scratch::start_time;
// ANCHOR_END: intro

// ANCHOR: probe
/// Can layers be put together here, and be written to?
pub fn probe() -> Probe {
    // In the order in which the stage meets them.
    match try_layers() {
        Err(error) => Probe::DoesNotRun(format!("{error:#}")),
        Ok(()) => ch08_pipe_init::probe(),
    }
}

fn try_layers() -> anyhow::Result<()> {
    let layers = Layers::find(&LayerOptions::default())?;
    let maps = match geteuid().is_root() {
        true => None,
        false => Some(Maps::of_own_ids()?),
    };
    let job = Job::with(Terminal::Cut)?;
    let mount = |_: &Parent| layers.mount().map(|_| Exit::Code(0));
    let exit = keep(&job, maps.as_ref(), mount, |ran| layers.clear(ran))?;
    ensure!(exit == Exit::Code(0), "the keeper ended with {exit}");
    Ok(())
}
// ANCHOR_END: probe
