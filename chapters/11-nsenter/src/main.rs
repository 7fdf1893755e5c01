//! Stage 10: a container that can be joined while it runs.

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
use ch09_aufs::{LayerOptions, Layers, furnish, keep, protect_proc};
use ch10_nsenter::{
    Entry, ExecOptions, NAMESPACES, Name, Ready, become_sealed_copy, exec, nsexec, state,
};
use clap::{Parser, Subcommand};
use lab::Exit;
use lab::info;
use nix::unistd::geteuid;

/// Runs a command in a container, or in one that runs already. Without a subcommand: `run` with a
/// shell.
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
        /// The name by which `exec` finds it
        #[arg(long, value_name = "NAME")]
        name: Option<Name>,
        #[command(flatten)]
        layers: LayerOptions,
        #[command(flatten)]
        run: Box<RunOptions>,
    },
    /// List the containers that run and have a name
    Ps,
    /// Run a command in a container that runs already, or in a process's namespaces
    Exec(Box<ExecOptions>),
    /// The other side of `run`, inside
    #[command(hide = true)]
    Init {
        pipe: RawFd,
        #[arg(long)]
        layers: bool,
        #[arg(long)]
        ready: Option<RawFd>,
    },
}

fn main() -> ExitCode {
    lab::run(|| {
        if let Some(never) = nsexec()? {
            match never {}
        }
        let mut arguments: Vec<_> = env::args_os().collect();
        if arguments.len() < 2 {
            arguments.extend(default_arguments());
        }
        match lab::parse_from::<Cli>(arguments)?.action {
            Action::Run { name, layers, run } => parent(name.as_ref(), &layers, &run),
            Action::Ps => state::ps().map(|()| Exit::Code(0)),
            Action::Exec(options) => {
                options.apply();
                become_sealed_copy()?; // the file of this program stays outside
                exec(&options)
            }
            Action::Init {
                pipe,
                layers,
                ready,
            } => init(pipe, layers, ready),
        }
    })
}

/// The parent: takes the name, finds the layers, and leaves the rest to a keeper.
fn parent(
    name: Option<&Name>,
    layers: &LayerOptions,
    options: &RunOptions,
) -> anyhow::Result<Exit> {
    options.apply();
    become_sealed_copy()?;
    let maps = options.maps()?;
    if maps.uid.lines().iter().all(|line| line.size == 1) {
        info!("one user id only: chown and su want --uid-map auto");
    }
    let layers = match options.mount.rootfs {
        Some(_) => None,
        None => Some(Layers::find(layers)?),
    };
    let entry = name.map(Entry::take).transpose()?;
    // root's keeper needs no user namespace; anybody else's has the maps, and the child those same
    // ids.
    match geteuid().is_root() {
        true => keep(None, || run(options, layers.as_ref(), &maps, entry.as_ref())),
        false => keep(Some(&maps), || {
            run(options, layers.as_ref(), &Maps::identity()?, entry.as_ref())
        }),
    }
}

/// The keeper: mounts the root, then does what stage 8's parent does.
fn run(
    options: &RunOptions,
    layers: Option<&Layers>,
    maps: &Maps,
    entry: Option<&Entry>,
) -> anyhow::Result<Exit> {
    let (terminal, mut message) = (options.process.terminal()?, options.message()?);
    let root = layers.map(Layers::mount).transpose()?;
    if let Some(root) = &root {
        message.rootfs = Some(root.folder().to_owned());
    }
    let groups = Manager::create(&options.cgroup.resources())?;
    let mut gate = Gate::new()?;
    let (pipe, ready) = (MessagePipe::new()?, Ready::new()?);
    let child = spawn(NAMESPACES, || {
        gate.wait()?;
        terminal.take()?;
        options.process.give_input_away()?;
        become_user(User::ROOT)?;
        make_private()?;
        let Some(root) = &root else {
            return pipe.become_init(&[&ready.option()?]);
        };
        furnish(root.folder())?;
        pipe.become_init(&["--layers", &ready.option()?])
    })?;
    terminal.lend(child.pid())?;
    maps.write(child.pid())?;
    groups.add(child.pid())?;
    gate.open()?;
    let sent = pipe.send(&message);
    ready.wait_and(|| entry.map_or(Ok(()), |entry| entry.record(child.pid())))?;
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
fn init(pipe: RawFd, layers: bool, ready: Option<RawFd>) -> anyhow::Result<Exit> {
    let message = receive(pipe, ready.as_slice())?;
    say_who_i_am()?;
    set_hostname(&message.hostname)?;
    enter_rootfs(message.rootfs.as_deref().unwrap_or(Path::new("/")))?;
    if layers {
        protect_proc()?;
    }
    bring_up_loopback()?;
    if let Some(ready) = ready {
        Ready::say(ready)?;
    }
    if message.init_stays {
        return stay_and_reap(|| become_container(&message.process));
    }
    match become_container(&message.process)? {}
}
