// ANCHOR: all
//! run and init: the command travels through a channel to PID 1.
//!
//! `run` is the parent. It starts this program again as `init`, inside, and sends it a
//! [`Message`]: the command, its environment, and how the container is to be set up. A channel
//! carries bytes, so nothing is quoted, joined or split, and init needs no environment and no
//! arguments of the caller's. `init` is PID 1: it sets the container up and then becomes the
//! command, or stays as a [`mod@reaper`].
//!
//! | module | question it answers |
//! |---|---|
//! | [`message`] | what does the parent send? |
//! | [`wire`] | how are its bytes laid out? |
//! | [`command`] | how does init become the command, with nothing of the caller's left? |
//! | [`streams`] | what does a container get as standard input, output and error? |
//! | [`mod@reaper`] | what must a PID 1 do that stays? |
//! | [`options`] | what can you ask for? |
//!
//! Source: unix(7), execve(2), pid_namespaces(7), the kernel's no_new_privs.rst.

pub mod command;
pub mod message;
pub mod options;
pub mod reaper;
pub mod streams;
pub mod wire;

use std::{env, os::unix::process::CommandExt, process::Command};

use anyhow::Context;
use ch02_ipc::{Channel, End};
use ch06_reexec::SELF;
use lab::{Probe, Program, context, info};

pub use command::become_container;
pub use message::{Message, Process};
pub use options::{Prepared, ProcessOptions, RunOptions};
pub use reaper::stay_and_reap;
pub use streams::{Streams, take_streams};

/// The name under which init inherits its end of the channel.
const MESSAGE: &str = "message";

/// What init keeps of the caller's environment: how the log looks.
const KEPT: [&str; 2] = ["RUST_LOG", "NO_COLOR"];

/// The child: this program once more, as `init` with its end of the channel; `options` are a later
/// chapter's.
///
/// # Errors
///
/// This process has taken its end already.
pub fn become_init(channel: &Channel, options: &[&str]) -> anyhow::Result<Program> {
    let mut init = reexec_command();
    init.arg("init").args(options);
    info!("becoming {SELF} init");
    // ANCHOR: exercise-pipe
    Ok(Program::of_ours(init, "child").with(MESSAGE, channel.in_child()?))
    // ANCHOR_END: exercise-pipe
}

/// This program, to be started again, inside. Anybody there may read the environment of such a
/// process; the caller's is not theirs.
pub fn reexec_command() -> Command {
    let mut again = Command::new(SELF);
    let kept = KEPT.iter().filter_map(|name| Some((name, env::var_os(name)?)));
    again.arg0(context::stage()).env_clear().envs(kept);
    again
}

/// The parent: sends the message, all of it, however little the channel holds at a time.
///
/// # Errors
///
/// EPIPE: init has ended.
pub fn send(channel: &Channel, message: &Message) -> anyhow::Result<()> {
    message.write(&channel.in_parent()?).context("send the message to init")
}

/// init: receives the message. All that it had from the caller is closed then, but for the streams
/// and the way for an error: the caller's own descriptors were close-on-exec.
///
/// # Errors
///
/// `run` did not start this process, or has ended before all was sent.
pub fn receive() -> anyhow::Result<Message> {
    let end =
        End::inherited(MESSAGE).context("`run` starts this, inside: do not start it by hand")?;
    Message::read(&end).context("receive the message")
}

/// Can a container be run here with `run` and `init`? The same as the stage below.
pub fn probe() -> Probe {
    ch07_cgroup_memory::probe()
}
// ANCHOR_END: all
