//! Stage 8: `run` sends the command through a pipe, `init` receives it as PID 1.

use std::{env, os::fd::RawFd, process::ExitCode};

use ch01_uts::{set_hostname, spawn};
use ch03_pid::{say_who_i_am, wait_for_init};
use ch04_mount::{enter_rootfs, make_private};
use ch05_user_idmap::{Gate, User, become_user};
use ch06_reexec::bring_up_loopback;
use ch07_cgroup_memory::Manager;
use ch08_pipe_init::{
    MessagePipe, NAMESPACES, RunOptions, command::become_container, options::default_arguments,
    reaper::stay_and_reap, receive,
};
use clap::{Parser, Subcommand};
use lab::Exit;

/// Runs a command in a container. Without a subcommand: `run` with a shell.
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
    Init { pipe: RawFd },
}

fn main() -> ExitCode {
    lab::run(|| {
        let mut arguments: Vec<_> = env::args_os().collect();
        if arguments.len() < 2 {
            arguments.extend(default_arguments());
        }
        match lab::parse_from::<Cli>(arguments)?.action {
            Action::Run(options) => run(&options),
            Action::Init { pipe } => init(pipe),
        }
    })
}

/// The parent: makes the groups and the namespaces, and tells init what to do in them.
fn run(options: &RunOptions) -> anyhow::Result<Exit> {
    options.apply();
    let (maps, terminal, message) =
        (options.maps()?, options.process.terminal()?, options.message()?);
    let groups = Manager::create(&options.cgroup.resources())?;
    let mut gate = Gate::new()?;
    let pipe = MessagePipe::new()?;
    let child = spawn(NAMESPACES, || {
        gate.wait()?;
        terminal.take()?;
        options.process.give_input_away()?;
        become_user(User::ROOT)?;
        pipe.become_init(&[])
    })?;
    terminal.lend(child.pid())?;
    maps.write(child.pid())?;
    groups.add(child.pid())?;
    gate.open()?;
    let sent = pipe.send(&message);
    let exit = wait_for_init(child, &terminal)?; // if init has failed, its error says why
    groups.report()?;
    if let Exit::Code(_) = exit {
        sent?; // an init that was killed while it read says so by its exit
    }
    Ok(exit)
}

/// The child, inside: sets the container up, and becomes the command.
fn init(pipe: RawFd) -> anyhow::Result<Exit> {
    let message = receive(pipe, &[])?;
    say_who_i_am()?;
    set_hostname(&message.hostname)?;
    make_private()?;
    enter_rootfs(message.rootfs.as_deref().unwrap_or("/".as_ref()))?;
    bring_up_loopback()?;
    if message.init_stays {
        return stay_and_reap(|| become_container(&message.process));
    }
    match become_container(&message.process)? {}
}
