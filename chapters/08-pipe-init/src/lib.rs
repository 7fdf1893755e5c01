// ANCHOR: all
//! run and init: the command travels through a channel to PID 1.
//!
//! `run` is the parent. It starts this program again as `init`, inside, and sends it a
//! [`Message`]: the command, its environment, and how the container is to be set up. A channel
//! carries bytes, so nothing is quoted, joined or split, and init needs neither the caller's
//! environment nor its arguments. `init` is PID 1: it sets the container up and then becomes the
//! command, or stays as a [`mod@reaper`].
//!
//! | module or item | question it answers |
//! |---|---|
//! | [`message`] | what does the parent send? |
//! | [`wire`] | how are its bytes laid out? |
//! | [`command`] | how does init become the command, with nothing of the caller's left? |
//! | [`streams`] | what does a container get as standard input, output and error? |
//! | [`copies`] | who copies what it reads and writes, and until when? |
//! | [`mod@reaper`] | what must a PID 1 do if it stays? |
//! | [`options`] | which options are there? |
//! | [`become_init`], [`send`], [`receive`] | how does the message reach init? |
//!
//! Source: unix(7), execve(2), pid_namespaces(7), the kernel's no_new_privs.rst.

pub mod command;
pub mod copies;
pub mod message;
pub mod options;
pub mod reaper;
pub mod streams;
pub mod wire;

use std::{env, os::unix::process::CommandExt, process::Command};

use anyhow::Context;
use ch02_ipc::{Channel, End};
use ch06_reexec::SELF;
use lab::{Probe, Program, context, debug, info};

pub use command::{become_container, leave_the_keyring, program};
pub use copies::Copies;
pub use message::{Message, Process};
pub use options::{Prepared, ProcessOptions, RunOptions};
pub use reaper::stay_and_reap;
pub use streams::{Streams, take_streams};

/// The name under which init inherits its end of the channel.
const MESSAGE: &str = "message";

/// What init keeps of the caller's environment: the form of the log.
const KEPT: [&str; 2] = ["RUST_LOG", "NO_COLOR"];

/// The child: this program again, as `init` with its end of the channel.
///
/// # Errors
///
/// This process has taken its end already.
pub fn become_init(channel: &Channel) -> anyhow::Result<Program> {
    let mut init = reexec_command();
    init.arg("init");
    debug!("becoming {SELF} init");
    // ANCHOR: exercise-pipe
    Ok(Program::of_ours(init, "child").with(MESSAGE, channel.in_child()?))
    // ANCHOR_END: exercise-pipe
}

/// This program, to be started again, inside. Processes inside can read this one's environment, so
/// the caller's stays outside.
pub fn reexec_command() -> Command {
    let mut again = Command::new(SELF);
    let kept = KEPT.iter().filter_map(|name| Some((name, env::var_os(name)?)));
    again.arg0(context::stage()).env_clear().envs(kept);
    again
}

/// The parent: sends the whole message, however little the channel holds at a time. An init that
/// has ended does not read it, and says why itself: that is only logged.
///
/// # Errors
///
/// The channel was used before.
pub fn send(channel: &Channel, message: &Message) -> anyhow::Result<()> {
    let sent = message.write(&channel.in_parent()?);
    sent.unwrap_or_else(|error| info!("send the message to init: {error:#}"));
    Ok(())
}

/// init: receives the message. Then it has nothing of the caller's open but the streams and the
/// error pipe: the caller's other descriptors were close-on-exec.
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
