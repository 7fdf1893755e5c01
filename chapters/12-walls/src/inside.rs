// ANCHOR: inside
//! Does this process stand inside its root?

use std::env;

use anyhow::ensure;
use ch08_pipe_init::{Process, become_container};
use lab::Program;

/// INIT becomes the command, if it stands inside its root.
///
/// # Errors
///
/// The working directory is outside of the root; or as [`become_container`].
pub fn become_command_inside(process: &Process) -> anyhow::Result<Program> {
    require_inside()?;
    become_container(process)
}

/// From a working directory outside of the root, `..` leads to the host (CVE-2024-21626). getcwd(2)
/// tells whether a path leads from the root to it.
fn require_inside() -> anyhow::Result<()> {
    // ANCHOR: exercise-inside
    let is_inside = env::current_dir().is_ok_and(|path| path.is_absolute());
    // ANCHOR_END: exercise-inside
    ensure!(
        is_inside,
        "the working directory is outside of the root, or was deleted: use --workdir /"
    );
    Ok(())
}
// ANCHOR_END: inside
