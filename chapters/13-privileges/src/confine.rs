// ANCHOR: confine
//! How do the privileges reach the process that gives them up?
//!
//! The parent knows what the options mean, and the container's process must give up the rest as the
//! last thing before it becomes the command. Between the two it executes this program again. So
//! they travel in a file in memory whose descriptor crosses the execve(2), as for `run`, so for
//! `exec`. No process in the container exists at that time, or none can open it.

use std::{
    fs::File,
    io::Write,
    os::{fd::OwnedFd, unix::fs::FileExt},
};

use anyhow::Context;
use ch08_pipe_init::{Process, leave_the_keyring, program};
use ch12_walls::arrive;
use lab::{Program, descriptors::take};
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::Privileges;
use ch08_pipe_init::wire::Bytes;

/// The name under which the process inherits them.
pub(crate) const PRIVILEGES: &str = "privileges";

impl Privileges {
    /// As a file in memory.
    ///
    /// # Errors
    ///
    /// As memfd_create(2) and write(2).
    pub(crate) fn file(&self) -> anyhow::Result<OwnedFd> {
        let file = memfd_create(c"privileges", MFdFlags::MFD_CLOEXEC).context("memfd_create")?;
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        let mut file = File::from(file);
        file.write_all(&bytes).context("write the privileges")?;
        Ok(file.into())
    }

    /// Those that this process has inherited. With `--init` two processes have the same file open,
    /// so it is read from its beginning, whatever the other one has read.
    fn inherited() -> anyhow::Result<Privileges> {
        let file = take(PRIVILEGES).context("no privileges came with this process")?;
        let file = File::from(file);
        let length = file.metadata().context("stat the privileges")?.len();
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, 0).context("read the privileges")?;
        let mut rest = Bytes(&bytes);
        let privileges = Privileges::decode(&mut rest).context("the privileges")?;
        rest.end()?;
        Ok(privileges)
    }
}

/// INIT becomes the command, and gives up what the container does not get.
///
/// # Errors
///
/// As [`arrive`] and [`Privileges::apply`].
pub fn become_confined(process: &Process) -> anyhow::Result<Program> {
    arrive(process)?;
    leave_the_keyring()?;
    // ANCHOR: exercise-confine
    Privileges::inherited()?.apply(process.user)?;
    // ANCHOR_END: exercise-confine
    Ok(program(process))
}

/// A PID 1 that stays gives up the same: root inside may trace it, and make it call what it likes.
///
/// # Errors
///
/// As [`Privileges::apply`].
pub fn stay_confined() -> anyhow::Result<()> {
    leave_the_keyring()?;
    // ANCHOR: exercise-stay
    Privileges::inherited()?.apply(None)
    // ANCHOR_END: exercise-stay
}
// ANCHOR_END: confine
