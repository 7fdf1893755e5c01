//! Stage 9: a container with a root file system in layers.

use std::{env, os::fd::RawFd, path::Path, process::ExitCode};

use ch01_uts::{set_hostname, spawn};
use ch03_pid::{say_who_i_am, wait_for_init};
use ch04_mount::{enter_rootfs, make_private};
use ch05_user_idmap::{Gate, Maps, User, become_user};
use ch06_reexec::bring_up_loopback;
use ch07_cgroup_memory::Manager;
use ch08_pipe_init::{
    MessagePipe, RunOptions, command::become_container, options::default_arguments,
    reaper::stay_and_reap, receive,
};
use ch09_aufs::{LayerOptions, Layers, NAMESPACES, furnish, keep, protect_proc};
use clap::{Parser, Subcommand};
use lab::Exit;
use lab::info;
use nix::unistd::geteuid;

/// Runs a command in a container with image layers. Without a subcommand: `run` with a shell.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Run a command in a new container
    Run {
        #[command(flatten)]
        layers: LayerOptions,
        #[command(flatten)]
        run: Box<RunOptions>,
    },
    /// The other side of `run`, inside
    #[command(hide = true)]
    Init {
        pipe: RawFd,
        #[arg(long)]
        layers: bool,
    },
}

fn main() -> ExitCode {
    lab::run(|| {
        let mut arguments: Vec<_> = env::args_os().collect();
        if arguments.len() < 2 {
            arguments.extend(default_arguments());
        }
        match lab::parse_from::<Cli>(arguments)?.action {
            Action::Run { layers, run } => parent(&layers, &run),
            Action::Init { pipe, layers } => init(pipe, layers),
        }
    })
}

/// The parent: finds the layers, and leaves the rest to a keeper.
fn parent(layers: &LayerOptions, options: &RunOptions) -> anyhow::Result<Exit> {
    options.apply();
    let maps = options.maps()?;
    if maps.uid.lines().iter().all(|line| line.size == 1) {
        info!("one user id only: chown and su want --uid-map auto");
    }
    let layers = match options.mount.rootfs {
        Some(_) => None,
        None => Some(Layers::find(layers)?),
    };
    // root's keeper needs no user namespace; anybody else's has the maps, and the child those same
    // ids.
    match geteuid().is_root() {
        true => keep(None, || run(options, layers.as_ref(), &maps)),
        false => keep(Some(&maps), || run(options, layers.as_ref(), &Maps::identity()?)),
    }
}

/// The keeper: mounts the root, then does what stage 8's parent does.
fn run(options: &RunOptions, layers: Option<&Layers>, maps: &Maps) -> anyhow::Result<Exit> {
    let (terminal, mut message) = (options.process.terminal()?, options.message()?);
    let root = layers.map(Layers::mount).transpose()?;
    if let Some(root) = &root {
        message.rootfs = Some(root.folder().to_owned());
    }
    let groups = Manager::create(&options.cgroup.resources())?;
    let mut gate = Gate::new()?;
    let pipe = MessagePipe::new()?;
    let child = spawn(NAMESPACES, || {
        gate.wait()?;
        terminal.take()?;
        options.process.give_input_away()?;
        become_user(User::ROOT)?;
        make_private()?;
        let Some(root) = &root else {
            return pipe.become_init(&[]);
        };
        furnish(root.folder())?;
        pipe.become_init(&["--layers"])
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
    if let Some(root) = &root {
        root.report()?;
    }
    Ok(exit)
}

/// The child, inside: goes into its root, and becomes the command.
fn init(pipe: RawFd, layers: bool) -> anyhow::Result<Exit> {
    let message = receive(pipe, &[])?;
    say_who_i_am()?;
    set_hostname(&message.hostname)?;
    enter_rootfs(message.rootfs.as_deref().unwrap_or(Path::new("/")))?;
    if layers {
        protect_proc()?;
    }
    bring_up_loopback()?;
    if message.init_stays {
        return stay_and_reap(|| become_container(&message.process));
    }
    match become_container(&message.process)? {}
}
