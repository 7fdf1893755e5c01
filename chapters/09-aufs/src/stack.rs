// ANCHOR: stack
//! What is mounted, whichever the union file system?

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use nix::mount::{MsFlags, mount};

/// The layers of one root.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Image layers, lowest first. They are only read.
    pub image: Vec<PathBuf>,
    /// The container layer, which collects what changes.
    pub container: PathBuf,
    /// Overlay's scratch folder, empty and on the container layer's file system.
    pub work: PathBuf,
    /// Where the root appears.
    pub merged: PathBuf,
}

/// mount(2) copies a page of options at the most, with the zero at its end.
const LONGEST_OPTIONS: usize = 4095;

pub(crate) fn mount_with(driver: &str, at: &Path, options: &[u8]) -> anyhow::Result<()> {
    ensure!(
        options.len() <= LONGEST_OPTIONS,
        "{driver}: the layers' paths make {} bytes of options, and mount(2) takes \
         {LONGEST_OPTIONS}: use fewer layers, or shorter paths",
        options.len()
    );
    mount(
        Some("none"),
        at,
        Some(driver),
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        Some(options),
    )
    .with_context(|| format!("mount -t {driver} -o {}", String::from_utf8_lossy(options)))
}
// ANCHOR_END: stack
