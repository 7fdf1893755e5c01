// ANCHOR: intro
//! Image layers and a container layer: whiteouts, copy-up.
//!
//! An image is a stack of folders to which no container writes. A union file system shows them as
//! one, with one more on top: the container layer. The first write to a file copies it up into that
//! layer; a deleted file leaves a *whiteout* there. So a hundred containers can share an image, and
//! each has only what it changed.
//!
//! | module | question it answers |
//! |---|---|
//! | [`layers`] | which layers does the root have, and who else may use them meanwhile? |
//! | [`keeper`] | which process mounts them, so that the mounts end with the container? |
//! | [`root`] | how does the keeper make a root of them, and what becomes of them at the end? |
//! | [`mod@furnish`] | what do programs expect in a root besides files? |
//! | [`changes`] | what did the container change? |
//! | [`driver`] | which union file system puts the layers together? |
//! | [`stack`], `overlay`, `aufs`, `fsmount` | how does each get the layers? |
//! | `whiteout` | what does an entry of a layer mean? |
//! | `scratch` | what does a run need beside its container layer, and what if it is killed? |
//! | [`image`] | where does an image come from, if you name none? |
//!
//! This is no wall against root. A container that root starts has root's own ids: root inside can
//! write what belongs to root, and so reach the machine. Real runtimes take capabilities away,
//! filter system calls, or map root inside to an ordinary id. An ordinary user's container can do
//! no more than that user, as long as the kernel has no hole.
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
pub mod stack;
mod whiteout;

use anyhow::ensure;
use ch03_pid::{Job, Terminal};
use ch05_user_idmap::Maps;
use lab::{Exit, Probe};
use nix::unistd::geteuid;

pub use furnish::{furnish, protect_proc};
pub use keeper::{Parent, is_there, keep};
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
    let exit = keep(&job, maps.as_ref(), mount, |ran| layers.clear(ran));
    job.release()?; // this process goes on, and a Ctrl-C is to end it again
    let exit = exit.inspect_err(|_| layers.unmake())?;
    ensure!(exit == Exit::Code(0), "the keeper ended with {exit}");
    Ok(())
}
// ANCHOR_END: probe
