// ANCHOR: run
//! What does `run` do differently for a container with a name?
//!
//! The keeper reserves the name before it makes anything. When init reports that all is set up, the
//! keeper writes down the container's PID 1, and then init goes on.

use std::path::Path;

use anyhow::Context;
use ch01_uts::set_hostname;
use ch02_ipc::{Channel, End};
use ch03_pid::{Job, say_who_i_am};
use ch04_mount::{enter_rootfs, make_private};
use ch05_user_idmap::{Gate, Maps, User, become_user};
use ch06_reexec::{NAMESPACES, bring_up_loopback};
use ch07_cgroup_memory::Groups;
use ch08_pipe_init::{
    Prepared, RunOptions, become_container, become_init, leave_the_keyring, receive, send,
    stay_and_reap,
};
use ch09_aufs::{LayerOptions, Layers, Parent, furnish, keep, protect_proc};
use lab::{Exit, Next, warn};
use nix::unistd::geteuid;

use crate::{Entry, Name, Names, let_go_on};

/// The name under which init inherits its end of the channel on which it reports that it is ready.
const READY: &str = "ready";

/// The options of `run`.
#[derive(clap::Args, Clone, Debug)]
pub struct NamedRunOptions {
    /// Give the container a name by which `ps` and `kill` find it; it is the hostname, too
    #[arg(long, value_name = "NAME")]
    pub name: Option<Name>,

    /// Lines for those who join it.
    #[arg(skip)]
    pub notes: String,

    /// What the chapters below take.
    #[command(flatten)]
    pub layers: LayerOptions,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub run: Box<RunOptions>,
}

impl NamedRunOptions {
    /// As in stage 9; the container's name is its hostname too, if no other was asked for.
    ///
    /// # Errors
    ///
    /// As [`RunOptions::prepare`].
    pub fn prepare(&self) -> anyhow::Result<Prepared> {
        let mut run = self.run.clone();
        let name = self.name.as_ref().filter(|name| name.is_hostname());
        run.uts.hostname = run.uts.hostname.or(name.map(|name| name.as_str().into()));
        run.prepare()
    }
}

/// The parent, as in stage 9.
///
/// # Errors
///
/// Whatever keeps the container from being started.
pub fn run(named: &NamedRunOptions) -> anyhow::Result<Exit> {
    let prepared = named.prepare()?;
    let job = Job::with(prepared.streams.terminal())?;
    in_a_keeper(named, prepared, &job, |parent, reserved, prepared| {
        container(parent, &job, reserved, prepared)
    })
}

/// What this run has reserved: layers, if there is no `--rootfs`, and the entry of a container with
/// a name.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Reserved<'a> {
    pub layers: Option<&'a Layers>,
    pub entry: Option<&'a Entry>,
}

/// Finds the layers and reserves the name, and does `work` in a keeper.
///
/// # Errors
///
/// A layer is not there, the name is taken, or what `work` fails with.
pub fn in_a_keeper(
    named: &NamedRunOptions,
    mut prepared: Prepared,
    job: &Job,
    work: impl FnOnce(&Parent, Reserved, Prepared) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let names = Names::of_this_user()?;
    let layers = match named.run.mount.rootfs {
        Some(_) => None,
        None => Some(Layers::find(&named.layers)?),
    };
    // root's keeper needs no user namespace. Anybody else's has the maps, and in it the container
    // has those same ids.
    let keepers_maps = Some(prepared.maps.clone()).filter(|_| !geteuid().is_root());
    let limits = prepared.limits.clone();
    let in_keeper = |parent: &Parent| {
        let reserve = |name| names.reserve(name, &named.notes);
        let entry = named.name.as_ref().map(reserve).transpose()?;
        if keepers_maps.is_some() {
            prepared.maps = Maps::identity()?;
        }
        let (layers, entry) = (layers.as_ref(), entry.as_ref());
        work(parent, Reserved { layers, entry }, prepared)
    };
    keep(job, keepers_maps.as_ref(), in_keeper, |had_container| {
        Groups::clear(&limits);
        layers.iter().for_each(|layers| layers.clear(had_container));
        if let (Some(_), Err(error)) = (&named.name, names.running()) {
            warn!("{error:#}");
        }
    })
    .inspect_err(|_| layers.iter().for_each(Layers::unmake))
}

/// The keeper, as in stage 9; when the container is set up, its entry names its PID 1.
fn container(
    parent: &Parent,
    job: &Job,
    reserved: Reserved,
    prepared: Prepared,
) -> anyhow::Result<Exit> {
    let Prepared {
        maps,
        limits,
        mut message,
        streams,
    } = prepared;
    let root = reserved.layers.map(Layers::mount).transpose()?;
    if let Some(root) = &root {
        message.rootfs = Some(root.folder().to_owned());
    }
    let groups; // dropped after the container, which ends before its groups are removed
    let (gate, channel, ready) = (Gate::new()?, Channel::new()?, Channel::new()?);
    let child = job.spawn(NAMESPACES, || {
        gate.wait()?;
        become_user(User::ROOT)?;
        make_private()?;
        if let Some(root) = &root {
            furnish(root.folder())?;
        }
        let mut init = become_init(&channel)?;
        init.command.args(root.as_ref().map(|_| "--layers"));
        streams.hand_over(init.with(READY, ready.in_child()?))
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
    let ready = ready.in_parent()?;
    match reserved.entry {
        Some(entry) => entry.record_when_ready(&ready, child.pid(), job)?,
        None => let_go_on(&ready)?,
    }
    let outcome = streams.wait(job, child);
    groups.report();
    if let Some(root) = &root {
        root.report();
    }
    outcome
}

/// The container's process, inside, as in stage 9; before it becomes the command, it waits until it
/// can be found.
///
/// # Errors
///
/// The kernel refuses something, or the command cannot be executed.
pub fn init(layers: bool) -> anyhow::Result<Next> {
    let message = receive()?;
    say_who_i_am()?;
    set_hostname(&message.hostname)?;
    enter_rootfs(message.rootfs.as_deref().unwrap_or(Path::new("/")))?;
    if layers {
        protect_proc()?;
    }
    bring_up_loopback()?;
    let ready = End::inherited(READY).context("`run` starts this, inside")?;
    ready.say()?;
    ready.wait()?;
    drop(ready);
    if message.init_stays {
        return stay_and_reap(|| become_container(&message.process), leave_the_keyring)
            .map(Next::End);
    }
    become_container(&message.process).map(Next::from)
}
// ANCHOR_END: run
