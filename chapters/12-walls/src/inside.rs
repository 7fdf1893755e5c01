// ANCHOR: inside
//! Is this process where the container's root ends?

use std::env;

use anyhow::ensure;
use ch08_pipe_init::{Process, become_container};
use lab::Program;

/// INIT becomes the command, if it stands inside.
///
/// # Errors
///
/// The working directory is outside of the root; or as [`become_container`].
pub fn become_command_inside(process: &Process) -> anyhow::Result<Program> {
    require_inside()?;
    become_container(process)
}

/// A working directory that the root does not contain is a way out, with `..` from there
/// (CVE-2024-21626): the kernel knows no path to it, and getcwd(2) says so.
fn require_inside() -> anyhow::Result<()> {
    // ANCHOR: exercise-inside
    let is_inside = env::current_dir().is_ok_and(|path| path.is_absolute());
    // ANCHOR_END: exercise-inside
    ensure!(
        is_inside,
        "the working directory is outside of the root, or was deleted: say --workdir /"
    );
    Ok(())
}
// ANCHOR_END: inside
