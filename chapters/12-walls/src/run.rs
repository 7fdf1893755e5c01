// ANCHOR: run
//! What does `run` do differently for a container with walls?
//!
//! The keeper does more, and init less. Before the gate opens, the keeper mounts everything that
//! the container will see, and moves it below its limits. Behind the gate the container's process
//! takes a copy of these mounts.

use std::{os::fd::OwnedFd, path::Path};

use anyhow::{Context, ensure};
use ch01_uts::{Child, set_hostname, spawn};
use ch02_ipc::{Channel, End};
use ch03_pid::{Job, Terminal, say_who_i_am};
use ch05_user_idmap::{Gate, Maps};
use ch06_reexec::{CLONE_NEWNET, bring_up_loopback};
use ch07_cgroup_memory::{Groups, base::is_root_outside};
use ch08_pipe_init::{Message, Prepared, become_init, receive, send, stay_and_reap, take_streams};
use ch09_aufs::{LayerOptions, Layers, Parent, Root, keep};
use ch10_names::{
    NamedRunOptions, let_go_on,
    run::{Reserved, in_a_keeper},
};
use ch11_nsenter::nsexec::Become;
use lab::{Exit, Namespaces, Next, info};
use nix::{errno::Errno, unistd::geteuid};

use crate::{
    caller::CallersTerminal,
    copy::{enter, take_a_copy},
    limits::go_below_the_limits,
    place::Place,
    pty::{Pty, master_in, new_devpts, reopen_terminal, take_terminal},
    relay::Relay,
    room::build,
    shifted::{
        NO_SHIFTED_LAYERS, give_away, is_shifted, require_owner, root_outside, shifted_ids,
        shifted_maps, show,
    },
};

/// The name under which init inherits its end of the channel on which it reports that it is ready.
const READY: &str = "ready";

/// A folder that every machine has and the keeper does not need: here it mounts `--rootfs`.
const FREE: &str = "/proc/tty";

/// The container's namespaces, but for its mounts and its groups: these it copies later.
const NAMESPACES: Namespaces = ch01_uts::CLONE_NEWUTS
    .and(ch02_ipc::CLONE_NEWIPC)
    .and(ch03_pid::CLONE_NEWPID)
    .and(ch05_user_idmap::CLONE_NEWUSER)
    .and(CLONE_NEWNET);

/// The parent, as in stage 10; root's containers have other ids.
///
/// # Errors
///
/// Whatever keeps the container from being started.
pub fn run(named: &NamedRunOptions) -> anyhow::Result<Exit> {
    run_prepared(named, prepare(named)?)
}

/// What the options mean.
///
/// # Errors
///
/// As [`NamedRunOptions::prepare`].
pub fn prepare(named: &NamedRunOptions) -> anyhow::Result<Prepared> {
    let mut prepared = named.prepare()?;
    if is_shifted(&named.run) {
        prepared.maps = shifted_maps()?;
    }
    Ok(prepared)
}

/// The second half.
///
/// # Errors
///
/// As [`run`].
pub fn run_prepared(named: &NamedRunOptions, prepared: Prepared) -> anyhow::Result<Exit> {
    let callers = named.run.process.tty.then(CallersTerminal::look).transpose()?;
    let job = Job::with(Terminal::Cut)?;
    in_a_keeper(named, prepared, &job, |parent, reserved, prepared| {
        container(parent, &job, reserved, callers.as_ref(), prepared)
    })
}

/// The keeper: builds all that the container sees while its process waits at the gate, and then
/// does as in stage 10.
fn container(
    parent: &Parent,
    job: &Job,
    reserved: Reserved,
    callers: Option<&CallersTerminal>,
    mut prepared: Prepared,
) -> anyhow::Result<Exit> {
    let devpts = new_devpts()?;
    let relay = callers.map(|callers| {
        let pty = Pty::of(master_in(&devpts)?, root_outside(&prepared.maps)?)?;
        Relay::new(job, pty, callers, &mut prepared.streams)
    });
    let relay = relay.transpose()?;
    let waiting = Waiting::build(parent, job, reserved.layers, &prepared, devpts)?;
    waiting.gate.open()?;
    send(&waiting.channel, &prepared.message)?;
    let (child, ready) = (waiting.child, waiting.ready.in_parent()?);
    match reserved.entry {
        Some(entry) => entry.record_when_ready(&ready, child.pid(), job)?,
        None => let_go_on(&ready)?,
    }
    let outcome = match relay {
        Some(relay) => relay.wait(prepared.streams, child),
        None => prepared.streams.wait(job, child),
    };
    waiting.groups.report();
    if let Some(layered) = &waiting.layered {
        layered.report();
    }
    outcome
}

/// A container whose process waits at its gate. Dropped in this order: the groups and the layers
/// are removed after the process has ended.
struct Waiting<'a> {
    child: Child,
    groups: Groups,
    layered: Option<Root<'a>>,
    gate: Gate,
    channel: Channel,
    ready: Channel,
}

impl<'a> Waiting<'a> {
    /// Its process, and around it all that it will see.
    fn build(
        parent: &Parent,
        job: &Job,
        layers: Option<&'a Layers>,
        prepared: &Prepared,
        devpts: OwnedFd,
    ) -> anyhow::Result<Waiting<'a>> {
        let Prepared {
            maps,
            limits,
            message,
            streams,
        } = prepared;
        let owner = root_outside(maps)?;
        let layered = layers.map(|layers| layered_root(layers, maps)).transpose()?;
        let root = layered.as_ref().map_or(Path::new(FREE), Root::folder);
        let groups; // dropped after the child; made after it, which would hold their lock as well
        let (gate, channel, ready) = (Gate::new()?, Channel::new()?, Channel::new()?);
        let child = job.spawn(NAMESPACES, || {
            gate.wait()?;
            take_a_copy(root)?;
            streams.hand_over(become_init(&channel)?.with(READY, ready.in_child()?))
        })?;
        maps.write(child.pid())?;
        groups = Groups::create(limits)?;
        groups.add(child.pid())?;
        go_below_the_limits(&groups, child.pid())?;
        if let Some(rootfs) = &message.rootfs {
            let ids = shifted_ids(maps)?;
            show(rootfs, root, ids.as_ref())?;
            if ids.is_some() {
                info!("what root inside makes is root's on the disk: let no other user reach it");
            }
        }
        build(&Place::of(root)?, &child, owner, layered.is_some(), &devpts)
            .with_context(|| format!("build the root from {}", shown(message)))?;
        give_away(streams, owner)?;
        parent.look_after(&child.process)?;
        if let Some(layered) = &layered {
            layered.belongs_to(child.pid())?;
        }
        Ok(Waiting {
            child,
            groups,
            layered,
            gate,
            channel,
            ready,
        })
    }
}

fn shown(message: &Message) -> String {
    message
        .rootfs
        .as_ref()
        .map_or("layers".into(), |rootfs| rootfs.display().to_string())
}

/// The keeper: mounts the layers, with the owners that the maps give their files.
fn layered_root<'a>(layers: &'a Layers, maps: &Maps) -> anyhow::Result<Root<'a>> {
    let ids = shifted_ids(maps)?;
    if ids.is_some() {
        // Over itself: the layer keeps its path.
        layers.image.iter().try_for_each(|layer| show(layer, layer, ids.as_ref()))?;
    }
    let root = layers.mount().map_err(|error| match error.downcast_ref() {
        Some(Errno::EINVAL) if ids.is_some() => error.context(NO_SHIFTED_LAYERS),
        _ => error,
    })?;
    require_owner(root.folder(), root_outside(maps)?)?;
    Ok(root)
}

/// The container's process, inside: its root is ready, so it only goes there. With `--init` it
/// stays, and does `stay` first.
///
/// # Errors
///
/// The kernel refuses something, or the command cannot be executed.
pub fn init(
    become_command: Become,
    stay: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Next> {
    let message = receive()?;
    say_who_i_am()?;
    set_hostname(&message.hostname)?;
    enter()?;
    bring_up_loopback()?;
    let ready = End::inherited(READY).context("`run` starts this, inside")?;
    ready.say()?;
    ready.wait()?;
    drop(ready);
    take_streams()?;
    reopen_terminal()?;
    if message.init_stays {
        take_terminal(message.process.user)?; // only the leader of a session can
        return stay_and_reap(|| become_command(&message.process), stay).map(Next::End);
    }
    become_command(&message.process).map(Next::from)
}
// ANCHOR_END: run

// ANCHOR: rehearse
/// Does what `run` does, up to the command.
///
/// # Errors
///
/// What failed.
pub fn rehearse() -> anyhow::Result<()> {
    let is_root = geteuid().is_root();
    let layers = Layers::find(&LayerOptions::default())?;
    let maps = match (is_root_outside(), is_root) {
        (true, _) => shifted_maps()?,
        (false, true) => Maps::identity()?,
        (false, false) => Maps::of_own_ids()?,
    };
    let job = Job::with(Terminal::Cut)?;
    let work = |_: &Parent| {
        let maps = if is_root {
            maps.clone()
        } else {
            Maps::identity()?
        };
        let root = layered_root(&layers, &maps)?;
        let gate = Gate::new()?;
        let child = spawn(NAMESPACES, || {
            gate.wait()?;
            take_a_copy(root.folder())?;
            enter().map(|()| Exit::Code(0))
        })?;
        maps.write(child.pid())?;
        build(&Place::of(root.folder())?, &child, root_outside(&maps)?, true, &new_devpts()?)?;
        gate.open()?;
        child.wait_as_usual()
    };
    let keepers_maps = Some(&maps).filter(|_| !is_root);
    let exit = keep(&job, keepers_maps, work, |had_container| layers.clear(had_container));
    job.release()?; // this process goes on, and a Ctrl-C is to end it again
    let exit = exit.inspect_err(|_| layers.unmake())?;
    ensure!(exit == Exit::Code(0), "the keeper ended with {exit}");
    Ok(())
}
// ANCHOR_END: rehearse
