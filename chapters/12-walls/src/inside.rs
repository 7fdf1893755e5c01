// ANCHOR: inside
//! Is this process inside its root?

use anyhow::ensure;
use ch08_pipe_init::{Process, become_container, take_streams};
use lab::Program;
use rustix::process::getcwd;

use crate::pty::take_terminal;

/// INIT becomes the command, if it is inside its root.
///
/// # Errors
///
/// The working directory is outside of the root; or as [`become_container`].
pub fn become_command_inside(process: &Process) -> anyhow::Result<Program> {
    arrive(process)?;
    become_container(process)
}

/// INIT has arrived: it is inside its root, with the terminal and the streams that it keeps.
///
/// # Errors
///
/// The working directory is outside of the root; as dup2(2) and ioctl_tty(2).
pub fn arrive(process: &Process) -> anyhow::Result<()> {
    require_inside()?;
    take_streams()?;
    take_terminal(process.user)
}

/// From a working directory outside of the root, `..` leads to the host (CVE-2024-21626). The path
/// that getcwd(2) returns then begins with `(unreachable)`. This is the system call: the function
/// of the C library then walks up `..`, and takes another mount of the root's folder for the root.
fn require_inside() -> anyhow::Result<()> {
    // ANCHOR: exercise-inside
    let is_inside = getcwd(Vec::new()).is_ok_and(|path| path.as_bytes().starts_with(b"/"));
    // ANCHOR_END: exercise-inside
    ensure!(
        is_inside,
        "the working directory is outside of the root, or was deleted: use --workdir /"
    );
    Ok(())
}
// ANCHOR_END: inside
