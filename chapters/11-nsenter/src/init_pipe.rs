// ANCHOR: all
//! How do the three processes of the bootstrap talk to each other?
//!
//! Through one socket with two ends: the parent has one, CHILD and INIT have the other.
//! Its number is in an environment variable, where the program that is started again finds it
//! before it looks at anything else. What crosses it, in this order: the bootstrap data, to
//! CHILD; the pid of INIT, to the parent; one byte that lets INIT go on.

use std::{
    convert::Infallible,
    env,
    io::{ErrorKind, Read, Write},
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        unix::{net::UnixStream, process::CommandExt},
    },
};

use anyhow::{Context, anyhow, bail};
use ch06_reexec::SELF;
use ch08_pipe_init::again;
use lab::info;
use lab::voice;
use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::stat::SFlag,
    unistd::Pid,
};

use crate::Bootstrap;

/// The environment variable with the number of the inherited end.
pub const VARIABLE: &str = "NSENTER_INITPIPE";

/// What a read says where CHILD has reported nothing.
const NO_WORD: [ErrorKind; 3] =
    [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::WouldBlock];

/// One end.
pub struct InitPipe(UnixStream);

impl InitPipe {
    /// The two ends, the parent's and CHILD's; both are closed by an execve(2).
    ///
    /// # Errors
    ///
    /// EMFILE: too many open files.
    pub fn pair() -> anyhow::Result<(InitPipe, InitPipe)> {
        let (parents, childs) = UnixStream::pair().context("make a socket pair")?;
        Ok((InitPipe(parents), InitPipe(childs)))
    }

    /// Becomes CHILD: executes this program again, which inherits this end.
    ///
    /// # Errors
    ///
    /// execve(2) failed.
    pub fn become_child(&self) -> anyhow::Result<Infallible> {
        fcntl(&self.0, FcntlArg::F_SETFD(FdFlag::empty()))
            .context("let CHILD inherit the init pipe")?;
        info!("becoming {SELF}, {VARIABLE}={}", self.number());
        let mut again = again();
        again.env(VARIABLE, self.number().to_string());
        voice::hand_over(&mut again, "child")?;
        Err(again.exec()).with_context(|| format!("exec {SELF}"))
    }

    /// CHILD: the end that the variable names; `None` in any other process.
    ///
    /// # Errors
    ///
    /// The variable names no inherited socket: somebody has set it by hand.
    pub fn inherited() -> anyhow::Result<Option<InitPipe>> {
        let Ok(number) = env::var(VARIABLE) else {
            return Ok(None);
        };
        let socket: Option<OwnedFd> =
            number.parse().ok().and_then(|number| voice::inherited(number, SFlag::S_IFSOCK));
        let socket = socket.ok_or_else(|| {
            anyhow!("{VARIABLE} is {number:?}, and that is no socket: `exec` sets it")
        })?;
        Ok(Some(InitPipe(socket.into())))
    }

    /// Its number.
    pub fn number(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// The parent: sends the bootstrap data.
    ///
    /// # Errors
    ///
    /// EPIPE: CHILD has ended.
    pub fn send(&self, bootstrap: &Bootstrap) -> anyhow::Result<()> {
        bootstrap.write(&self.0).context("send the bootstrap data")
    }

    /// CHILD: receives it.
    ///
    /// # Errors
    ///
    /// As [`Bootstrap::read`].
    pub fn receive(&self) -> anyhow::Result<Bootstrap> {
        Bootstrap::read(&self.0).context("receive the bootstrap data")
    }

    /// CHILD: tells the parent INIT's pid.
    ///
    /// # Errors
    ///
    /// EPIPE: the parent has ended.
    pub fn report(&self, init: Pid) -> anyhow::Result<()> {
        (&self.0).write_all(&init.as_raw().to_le_bytes()).context("report INIT's pid")
    }

    /// The parent, after CHILD's end: INIT's pid, as this PID namespace calls it; `None` if CHILD
    /// has reported none.
    ///
    /// # Errors
    ///
    /// The socket cannot be read.
    pub fn reported(&self) -> anyhow::Result<Option<Pid>> {
        let mut bytes = [0; 4];
        self.0.set_nonblocking(true).context("read INIT's pid")?;
        let read = (&self.0).read_exact(&mut bytes);
        self.0.set_nonblocking(false).context("read INIT's pid")?;
        match read {
            Ok(()) => Ok(Some(Pid::from_raw(i32::from_le_bytes(bytes)))),
            // It said nothing; it has not even read what it was sent; or it has ended with an INIT
            // cloned.
            Err(error) if NO_WORD.contains(&error.kind()) => Ok(None),
            Err(error) => Err(error).context("read INIT's pid"),
        }
    }

    /// The parent: lets INIT go on, if it has not ended.
    ///
    /// # Errors
    ///
    /// The socket cannot be written.
    pub fn open_gate(&self) -> anyhow::Result<()> {
        info!("opening the gate");
        match (&self.0).write_all(b"!") {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other.context("open the gate"),
        }
    }

    /// INIT: waits for that.
    ///
    /// # Errors
    ///
    /// The parent ended without it.
    pub fn wait_at_gate(&self) -> anyhow::Result<()> {
        if (&self.0).read(&mut [0]).context("wait at the gate")? == 0 {
            bail!("the parent gave up before it opened the gate");
        }
        Ok(())
    }
}
// ANCHOR_END: all
