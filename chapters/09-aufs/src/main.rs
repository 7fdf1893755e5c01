// ANCHOR: all
//! Stage 9: a container with a root file system in layers, and a keeper that clears up.
//!
//! There is one more process now. The parent waits; the keeper mounts the layers, does what stage
//! 8's parent did, and removes everything at the end, the parent's too if that was killed:
//!
//! ```text
//! parent ── keeper ── container
//! ```

use std::{path::Path, process::ExitCode};

use ch01_uts::set_hostname;
use ch02_ipc::Channel;
use ch03_pid::{Job, say_who_i_am};
use ch04_mount::{enter_rootfs, make_private};
use ch05_user_idmap::{Gate, Maps, User, become_user};
use ch06_reexec::{NAMESPACES, bring_up_loopback};
use ch07_cgroup_memory::Groups;
use ch08_pipe_init::{
    Prepared, RunOptions, become_container, become_init, leave_the_keyring,
    options::default_arguments, receive, send, stay_and_reap,
};
use ch09_aufs::{LayerOptions, Layers, Parent, furnish, keep, protect_proc};
use clap::{Parser, Subcommand};
use lab::{Exit, Next};
use nix::unistd::geteuid;

/// Runs a command in a container whose root is made of layers. Without a subcommand: `run` with a
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
        #[command(flatten)]
        layers: LayerOptions,
        #[command(flatten)]
        run: Box<RunOptions>,
    },
    /// The other side of `run`, inside
    #[command(hide = true)]
    Init {
        #[arg(long)]
        layers: bool,
    },
}

fn main() -> ExitCode {
    lab::run(|| match lab::parse_from::<Cli>(default_arguments())?.action {
        Action::Run { layers, run } => parent(&layers, &run).map(Next::End),
        Action::Init { layers } => init(layers),
    })
}

/// The parent: finds the layers, and starts a keeper for everything that must be cleared up.
fn parent(layers: &LayerOptions, options: &RunOptions) -> anyhow::Result<Exit> {
    let mut prepared = options.prepare()?;
    let job = Job::with(prepared.streams.terminal())?;
    let layers = match options.mount.rootfs {
        Some(_) => None,
        None => Some(Layers::find(layers)?),
    };
    // root's keeper needs no user namespace. Anybody else's has the maps, and in it the container
    // has those same ids.
    let keepers_maps = Some(prepared.maps.clone()).filter(|_| !geteuid().is_root());
    let limits = prepared.limits.clone();
    let work = |parent: &Parent| {
        if keepers_maps.is_some() {
            prepared.maps = Maps::identity()?;
        }
        container(parent, &job, layers.as_ref(), prepared)
    };
    keep(&job, keepers_maps.as_ref(), work, |had_container| {
        Groups::clear(&limits);
        layers.iter().for_each(|layers| layers.clear(had_container));
    })
    .inspect_err(|_| layers.iter().for_each(Layers::unmake))
}

/// The keeper: mounts the root, then does what stage 8's parent does.
fn container(
    parent: &Parent,
    job: &Job,
    layers: Option<&Layers>,
    prepared: Prepared,
) -> anyhow::Result<Exit> {
    let Prepared {
        maps,
        limits,
        mut message,
        streams,
    } = prepared;
    let root = layers.map(Layers::mount).transpose()?;
    if let Some(root) = &root {
        message.rootfs = Some(root.folder().to_owned());
    }
    let (gate, channel) = (Gate::new()?, Channel::new()?);
    let groups; // declared before the child, so dropped after it, also if a call below fails
    let child = job.spawn(NAMESPACES, || {
        gate.wait()?;
        become_user(User::ROOT)?;
        make_private()?;
        if let Some(root) = &root {
            furnish(root.folder())?;
        }
        let mut init = become_init(&channel)?;
        init.command.args(root.as_ref().map(|_| "--layers"));
        streams.hand_over(init)
    })?;
    parent.look_after(&child.process)?;
    if let Some(root) = &root {
        root.belongs_to(child.pid())?;
    }
    maps.write(child.pid())?;
    groups = Groups::create(&limits)?;
    groups.add(child.pid())?;
    gate.open()?;
    send(&channel, &message)?;
    let outcome = streams.wait(job, child);
    groups.report();
    if let Some(root) = &root {
        root.report();
    }
    outcome
}

/// The container's process, inside: goes into its root, and becomes the command.
fn init(layers: bool) -> anyhow::Result<Next> {
    let message = receive()?;
    say_who_i_am()?;
    set_hostname(&message.hostname)?;
    enter_rootfs(message.rootfs.as_deref().unwrap_or(Path::new("/")))?;
    if layers {
        protect_proc()?;
    }
    bring_up_loopback()?;
    if message.init_stays {
        return stay_and_reap(|| become_container(&message.process), leave_the_keyring)
            .map(Next::End);
    }
    become_container(&message.process).map(Next::from)
}
// ANCHOR_END: all
