//! What does a program do whose output nobody reads?

use std::os::fd::OwnedFd;

use anyhow::Context;
use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    unistd::{pipe2, write},
};

/// A pipe that takes no byte more, but for its other end, which nobody reads.
///
/// # Errors
///
/// EMFILE: too many open files.
pub fn full_pipe() -> anyhow::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC).context("pipe2")?;
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).context("fcntl O_NONBLOCK")?;
    while write(&writer, &[b'.'; 4096]).is_ok() {}
    while write(&writer, b".").is_ok() {}
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::empty())).context("fcntl O_NONBLOCK")?;
    Ok((reader, writer))
}

/// A pipe for output, whose reader closes it when it is dropped.
///
/// # Errors
///
/// As [`full_pipe`].
pub fn pipe() -> anyhow::Result<(OwnedFd, OwnedFd)> {
    pipe2(OFlag::O_CLOEXEC).context("pipe2")
}
