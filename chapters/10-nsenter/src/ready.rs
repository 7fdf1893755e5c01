// ANCHOR: all
//! How does whoever keeps the container know that init has set it up?
//!
//! The other way round from chapter 5's gate: the child says one byte, the parent waits for it.
//! A container that is not set up yet has the host's root: nobody may be let in.

use std::{
    fs::File,
    io::{PipeReader, PipeWriter, Read, Write, pipe},
    os::fd::{AsRawFd, RawFd},
};

use anyhow::{Context, anyhow};
use lab::voice;
use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::stat::SFlag,
};

/// A pipe on which init says that it is ready.
pub struct Ready {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Ready {
    /// A new one, to be made before the clone.
    ///
    /// # Errors
    ///
    /// EMFILE: too many open files.
    pub fn new() -> anyhow::Result<Ready> {
        let (reader, writer) = pipe().context("make a pipe for init to say that it is ready")?;
        Ok(Ready { reader, writer })
    }

    /// The child: lets init inherit the writing end; its option for that.
    ///
    /// # Errors
    ///
    /// Those of fcntl(2).
    pub fn option(&self) -> anyhow::Result<String> {
        fcntl(&self.writer, FcntlArg::F_SETFD(FdFlag::empty())).context("let init inherit the pipe")?;
        Ok(format!("--ready={}", self.writer.as_raw_fd()))
    }

    /// The parent: waits. False if init ended before it was ready.
    ///
    /// # Errors
    ///
    /// The pipe cannot be read.
    pub fn wait(mut self) -> anyhow::Result<bool> {
        drop(self.writer); // or it would wait for itself
        Ok(self.reader.read(&mut [0]).context("wait until init is ready")? > 0)
    }

    /// init: says it, on the descriptor with this number.
    ///
    /// # Errors
    ///
    /// It is no inherited pipe; or EPIPE, nobody waits any more.
    pub fn say(number: RawFd) -> anyhow::Result<()> {
        let pipe = voice::inherited(number, SFlag::S_IFIFO).ok_or_else(|| anyhow!("descriptor {number} is no pipe"))?;
        File::from(pipe).write_all(b"!").context("say that init is ready")
    }
}
// ANCHOR_END: all
