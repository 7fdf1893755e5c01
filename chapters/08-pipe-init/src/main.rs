// ANCHOR: all
//! Stage 8: `run` sends the command through a channel, `init` receives it as PID 1.
//!
//! `init` takes the place of stage 6's registered function. The second start reads the command from
//! the channel: its own command line, which processes inside can read, is only `init`.

use std::process::ExitCode;

use ch01_uts::set_hostname;
use ch02_ipc::Channel;
use ch03_pid::{Job, say_who_i_am};
use ch04_mount::{enter_rootfs, make_private};
use ch05_user_idmap::{Gate, User, become_user};
use ch06_reexec::{NAMESPACES, bring_up_loopback};
use ch07_cgroup_memory::Groups;
use ch08_pipe_init::{
    Prepared, RunOptions, become_container, become_init, leave_the_keyring,
    options::default_arguments, receive, send, stay_and_reap,
};
use clap::{Parser, Subcommand};
use lab::{Exit, Next};

/// Runs a command in a container. Without a subcommand, runs a shell.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Run a command in a new container
    Run(Box<RunOptions>),
    /// The other side of `run`, inside
    #[command(hide = true)]
    Init,
}

fn main() -> ExitCode {
    lab::run(|| match lab::parse_from::<Cli>(default_arguments())?.action {
        Action::Run(options) => run(&options).map(Next::End),
        Action::Init => init(),
    })
}

/// The parent: makes the groups and the namespaces, and sends init the message.
fn run(options: &RunOptions) -> anyhow::Result<Exit> {
    let Prepared {
        maps,
        limits,
        message,
        streams,
    } = options.prepare()?;
    let job = Job::with(streams.terminal())?;
    let groups = Groups::create(&limits)?;
    let (gate, channel) = (Gate::new()?, Channel::new()?);
    let child = job.spawn(NAMESPACES, || {
        gate.wait()?;
        become_user(User::ROOT)?;
        streams.hand_over(become_init(&channel)?)
    })?;
    maps.write(child.pid())?;
    groups.add(child.pid())?;
    gate.open()?;
    send(&channel, &message)?;
    let outcome = streams.wait(&job, child);
    groups.report();
    outcome
}

/// The child, inside: sets the container up and becomes the command.
fn init() -> anyhow::Result<Next> {
    let message = receive()?;
    say_who_i_am()?;
    set_hostname(&message.hostname)?;
    make_private()?;
    enter_rootfs(message.rootfs.as_deref().unwrap_or("/".as_ref()))?;
    bring_up_loopback()?;
    if message.init_stays {
        return stay_and_reap(|| become_container(&message.process), leave_the_keyring)
            .map(Next::End);
    }
    become_container(&message.process).map(Next::from)
}
// ANCHOR_END: all
