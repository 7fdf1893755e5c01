// ANCHOR: all
//! run and init: the command travels through a pipe; PID 1.
//!
//! `run` is the parent. It starts this program again as `init`, inside, and sends it a
//! [`Message`]: the command, its environment, and how the container is to be set up. A
//! pipe carries bytes, so nothing is quoted, joined or split, and nothing of it is in the
//! process list. `init` is PID 1: it sets the container up and then becomes the command,
//! or stays as a [`mod@reaper`].
//!
//! | module | question it answers |
//! |---|---|
//! | [`message`] | what does the parent send? |
//! | [`wire`] | how are its bytes laid out? |
//! | [`options`] | what can a person ask for? |
//! | [`command`] | how does init become the command, with nothing of the runtime's left? |
//! | [`mod@reaper`] | what must a PID 1 do that stays? |
//!
//! Source: pipe(7), execve(2), pid_namespaces(7), the kernel's no_new_privs.rst.

pub mod command;
pub mod message;
pub mod options;
pub mod reaper;
pub mod wire;

use std::{
    convert::Infallible,
    env,
    io::{PipeReader, PipeWriter, pipe},
    os::{
        fd::{AsRawFd, RawFd},
        unix::process::CommandExt,
    },
    process::Command,
};

use anyhow::{Context, anyhow};
use ch06_reexec::SELF;
use lab::info;
use lab::{Probe, voice};
use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sched::CloneFlags,
    sys::stat::SFlag,
};

use command::leave_the_caller;
pub use message::{Message, Process};
pub use options::{ProcessOptions, RunOptions};

/// The new namespaces of this stage: none more than the stage below has.
pub const NAMESPACES: CloneFlags = ch07_cgroup_memory::NAMESPACES;

/// What init keeps of the host's environment: how the log looks.
const KEPT: [&str; 2] = ["RUST_LOG", "NO_COLOR"];

/// The pipe through which the message goes.
pub struct MessagePipe {
    reader: PipeReader,
    writer: PipeWriter,
}

impl MessagePipe {
    /// A new one, made before the clone, which gives both ends to both processes.
    ///
    /// # Errors
    ///
    /// EMFILE: too many open files.
    pub fn new() -> anyhow::Result<MessagePipe> {
        let (reader, writer) = pipe().context("make a pipe for the message")?;
        Ok(MessagePipe { reader, writer })
    }

    /// The child: executes this program again as `init`, which inherits the reading end by
    /// number; `options` are a later chapter's. The writing end is closed by the execve(2):
    /// else init would wait for itself.
    ///
    /// # Errors
    ///
    /// execve(2) failed.
    pub fn become_init(&self, options: &[&str]) -> anyhow::Result<Infallible> {
        // ANCHOR: exercise-pipe
        fcntl(&self.reader, FcntlArg::F_SETFD(FdFlag::empty()))
            .context("let init inherit the pipe")?;
        let number = self.reader.as_raw_fd();
        // ANCHOR_END: exercise-pipe
        info!("becoming {SELF} init {number}");
        let mut init = again();
        init.arg("init").arg(number.to_string()).args(options);
        voice::hand_over(&mut init, "child")?;
        Err(init.exec()).with_context(|| format!("exec {SELF}"))
    }

    /// The parent: sends the message, all of it, however little of it fits into the pipe.
    ///
    /// # Errors
    ///
    /// EPIPE: init has ended.
    pub fn send(self, message: &Message) -> anyhow::Result<()> {
        drop(self.reader); // or a write to an init that has ended would wait forever
        message.write(self.writer).context("send the message to init")
    }
}

/// This program, to be started again, inside. Anybody there may read the environment of such a
/// process; the host's is not theirs.
pub fn again() -> Command {
    let mut again = Command::new(SELF);
    again.arg0(voice::stage());
    again
        .env_clear()
        .envs(KEPT.iter().filter_map(|name| Some((name, env::var_os(name)?))));
    again
}

/// init: receives the message from the pipe with this number, and lets go of whatever else
/// it has from the caller but the descriptors in `kept`.
///
/// # Errors
///
/// The number is no inherited pipe, or the message is cut short or garbled.
pub fn receive(number: RawFd, kept: &[RawFd]) -> anyhow::Result<Message> {
    let pipe = voice::inherited(number, SFlag::S_IFIFO).ok_or_else(|| {
        anyhow!("init is started by `run`, and not by hand: descriptor {number} is no pipe")
    })?;
    let message = Message::read(PipeReader::from(pipe)).context("receive the message")?;
    leave_the_caller(kept)?;
    Ok(message)
}

/// Can a container be run here with `run` and `init`? The same as the stage below.
pub fn probe() -> Probe {
    ch07_cgroup_memory::probe()
}
// ANCHOR_END: all
