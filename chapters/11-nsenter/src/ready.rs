// ANCHOR: all
//! How does whoever keeps the container know that init has set it up?
//!
//! Before that, its root is the host's: nobody may be let in. So init says when it is ready,
//! and goes on when the entry is written: whatever the command does, it can be found by then.

use std::{
    io::{ErrorKind, Read, Write},
    os::{
        fd::{AsRawFd, RawFd},
        unix::net::UnixStream,
    },
};

use anyhow::{Context, anyhow, ensure};
use lab::voice;
use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::stat::SFlag,
};

/// A socket on which init says that it is ready, and is told to go on.
pub struct Ready {
    keepers: UnixStream,
    inits: UnixStream,
}

impl Ready {
    /// A new one, to be made before the clone.
    ///
    /// # Errors
    ///
    /// EMFILE: too many open files.
    pub fn new() -> anyhow::Result<Ready> {
        let (keepers, inits) = UnixStream::pair().context("make a socket pair")?;
        Ok(Ready { keepers, inits })
    }

    /// The child: lets init inherit its end; the option that names it.
    ///
    /// # Errors
    ///
    /// Those of fcntl(2).
    pub fn option(&self) -> anyhow::Result<String> {
        fcntl(&self.inits, FcntlArg::F_SETFD(FdFlag::empty()))
            .context("let init inherit the socket")?;
        Ok(format!("--ready={}", self.inits.as_raw_fd()))
    }

    /// The keeper: waits until init is ready, does `deed`, and lets init go on. An init that
    /// ended before it was ready has an error that says why.
    ///
    /// # Errors
    ///
    /// What `deed` fails with; the socket fails.
    pub fn wait_and(self, deed: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        let Ready { mut keepers, inits } = self;
        drop(inits); // or it would wait for itself
        if keepers.read(&mut [0]).context("wait until init is ready")? == 0 {
            return Ok(());
        }
        deed()?;
        match keepers.write_all(b"!") {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()), // it has ended, and its end says why
            other => other.context("let init go on"),
        }
    }

    /// init: says it, on the socket with this number, and waits.
    ///
    /// # Errors
    ///
    /// It is no inherited socket; the keeper has ended.
    pub fn say(number: RawFd) -> anyhow::Result<()> {
        let socket = voice::inherited(number, SFlag::S_IFSOCK);
        let mut socket =
            UnixStream::from(socket.ok_or_else(|| anyhow!("descriptor {number} is no socket"))?);
        socket.write_all(b"!").context("say that init is ready")?;
        ensure!(socket.read(&mut [0]).context("wait for the keeper")? > 0, "the keeper gave up");
        Ok(())
    }
}
// ANCHOR_END: all
