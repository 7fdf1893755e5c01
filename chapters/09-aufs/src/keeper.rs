// ANCHOR: keeper
//! Which process mounts the layers, so that the mounts end with the container?
//!
//! The keeper: a process between parent and container, with a mount namespace of its own. Nobody
//! else sees what it mounts, and the kernel unmounts it when keeper and container have ended, in
//! whatever way. It cannot be the container's process: aufs by default refuses to be mounted in a
//! user namespace, and when the container has ended, a process must read its layer. An ordinary
//! user's keeper is root of a user namespace (as with podman), so that it may mount at all, and may
//! read and remove files of all mapped ids.
//!
//! Parent and keeper look after each other. Each has a pidfd of the container's process: if one of
//! the two is killed, the other kills the container and clears up.

use std::{
    io::{self, ErrorKind, Read, Write},
    os::fd::{AsFd, OwnedFd},
    process,
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context, anyhow};
use ch01_uts::{Cloned, Process, clone, send, wait_for_any};
use ch02_ipc::{Channel, End};
use ch03_pid::Job;
use ch04_mount::{CLONE_NEWNS, make_private};
use ch05_user_idmap::{CLONE_NEWUSER, Gate, Maps, User, become_user};
use lab::{Exit, Namespaces, Start, StartReport, context, debug, error_pipe, go_on, info, warn};
use nix::errno::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// Runs `work` in a keeper, and waits for it. The keeper's user namespace has these maps (`None`:
/// it gets none). If the keeper is killed, another one runs `clear`, whose argument is whether
/// there was a container.
///
/// # Errors
///
/// What `work` fails with; the keeper was killed.
pub fn keep(
    job: &Job,
    maps: Option<&Maps>,
    work: impl FnOnce(&Parent) -> anyhow::Result<Exit>,
    clear: impl FnOnce(bool),
) -> anyhow::Result<Exit> {
    let mut keeper = Keeper::start(maps, work)?;
    let ended = keeper.wait(job);
    match keeper.report.start() {
        Start::Ends => ended,
        Start::Failed(failure) => {
            job.take_terminal_back(true); // the keeper may have lent it, and not taken it back
            Err(failure.into())
        }
        Start::Silent | Start::Executes => {
            job.take_terminal_back(true);
            let had_container = keeper.container.is_some();
            let clear = |_: &Parent| {
                clear(had_container);
                Ok(Exit::Code(0))
            };
            let cleared = Keeper::start(maps, clear).and_then(|mut keeper| keeper.wait(job));
            if let Err(error) = cleared {
                warn!("clear up after the keeper: {error:#}");
            }
            let exit = ended?;
            Err(anyhow!("the keeper ended with {exit}, so the container was ended"))
        }
    }
}

/// The keeper, as the parent sees it.
struct Keeper {
    process: Option<Process>,
    report: StartReport,
    channel: End,
    /// A pidfd of the container's process.
    container: Option<OwnedFd>,
}

impl Keeper {
    fn start(
        maps: Option<&Maps>,
        work: impl FnOnce(&Parent) -> anyhow::Result<Exit>,
    ) -> anyhow::Result<Keeper> {
        let namespaces = CLONE_NEWNS | maps.map_or(Namespaces::NONE, |_| CLONE_NEWUSER);
        info!("cloning the keeper: {namespaces}");
        let (report, errors) = error_pipe()?;
        let (gate, channel) = (Gate::new()?, Channel::new()?);
        match clone(namespaces)? {
            Cloned::Child => {
                drop(report);
                context::speak_as("keeper");
                let done = be_a_keeper(&gate, &channel, maps.is_some(), work);
                process::exit(go_on(done, Some(errors)).into())
            }
            Cloned::Parent(process) => {
                drop(errors);
                if let Some(maps) = maps {
                    maps.write(process.pid())?;
                }
                gate.open()?;
                Ok(Keeper {
                    process: Some(process),
                    report,
                    channel: channel.in_parent()?,
                    container: None,
                })
            }
        }
    }

    /// Waits for its end, and the container's. If it cannot wait, it ends both.
    fn wait(&mut self, job: &Job) -> anyhow::Result<Exit> {
        let process = self.process.take().context("a keeper is waited for once")?;
        let pid = process.pid();
        let exit = match self.watch(job, &process) {
            Ok(()) => process.reap(),
            Err(error) => {
                drop(process); // which kills it
                Err(error)
            }
        };
        if let Ok(exit) = &exit {
            debug!("the keeper, {pid}, ended with {exit}");
        }
        self.report.listen().context("read the keeper's report")?;
        if let Some(container) = &self.container {
            end(container)?;
        }
        exit
    }

    /// Passes signals on, and hears of the container, until the keeper has ended.
    fn watch(&mut self, job: &Job, process: &Process) -> anyhow::Result<()> {
        loop {
            let mut watched = vec![process.as_fd(), job.as_fd()];
            if self.container.is_none() {
                watched.push(self.channel.as_fd());
            }
            let ready = wait_for_any(&watched)?;
            job.pass_all_on(process)?;
            if ready[0] {
                return Ok(());
            }
            if ready.get(2) == Some(&true) {
                self.container = hear_of_the_container(&self.channel)?;
            }
        }
    }
}

/// The keeper's process, from its first moment on.
fn be_a_keeper(
    gate: &Gate,
    channel: &Channel,
    in_user_namespace: bool,
    work: impl FnOnce(&Parent) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let parent = Parent(Arc::new(channel.in_child()?));
    gate.wait()?;
    if in_user_namespace {
        become_user(User::ROOT)?;
    }
    make_private()?;
    work(&parent)
}
// ANCHOR_END: keeper

// ANCHOR: each-other
/// The parent, as the keeper sees it.
pub struct Parent(Arc<End>);

impl Parent {
    /// Sends the parent the pid of the container's process, which still waits at its gate. From now
    /// on each of the two kills the container if the other ends.
    ///
    /// # Errors
    ///
    /// The parent has ended; EAGAIN: too many threads.
    pub fn look_after(&self, container: &Process) -> anyhow::Result<()> {
        let (channel, container_fd) = (self.0.clone(), container.as_fd().try_clone_to_owned());
        let container_fd = container_fd.context("duplicate the container's pidfd")?;
        let pid = container.pid().as_raw().to_ne_bytes();
        (&*channel).write_all(&pid).context("send the parent the container's pid")?;
        channel.wait()?;
        channel.say()?;
        let watch = move || {
            // The parent says no more, so what there is to read is its end.
            while wait_for_any(&[channel.as_fd()]).is_err() {
                thread::sleep(Duration::from_millis(10)); // until the kernel has memory again
            }
            if let Err(errno) = send(container_fd.as_fd(), libc::SIGKILL) {
                warn!("kill the container: {}", errno.desc());
            }
        };
        thread::Builder::new().spawn(watch).context("start a thread")?;
        Ok(())
    }
}

/// The parent's side of that. When the keeper answers, it has not yet waited for the container: so
/// the pid was still the container's when the pidfd was opened.
fn hear_of_the_container(channel: &End) -> anyhow::Result<Option<OwnedFd>> {
    let mut pid = [0; 4];
    let heard = { channel }.read_exact(&mut pid).context("read the container's pid");
    if !is_there(heard)? {
        return Ok(None); // the container sees it at the gate
    }
    let pid = Pid::from_raw(i32::from_ne_bytes(pid)).context("the container has a pid")?;
    let container = pidfd_open(pid, PidfdFlags::empty());
    if !is_there(channel.say().and_then(|()| channel.wait()))? {
        return Ok(None);
    }
    container.context("pidfd_open of the container").map(Some)
}

/// Whether the process at a channel's other end is still there, after a word that came or went
/// (`heard`): if it has ended, its own end says why.
///
/// # Errors
///
/// The word failed for another reason.
pub fn is_there(heard: anyhow::Result<()>) -> anyhow::Result<bool> {
    let ends = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof];
    heard.map(|()| true).or_else(|error| match error.downcast_ref::<io::Error>() {
        Some(other) if !ends.contains(&other.kind()) => Err(error),
        _ => Ok(false),
    })
}

/// Ends the container, if it still lives, and returns when nothing of it is left.
fn end(container: &OwnedFd) -> anyhow::Result<()> {
    match send(container.as_fd(), libc::SIGKILL) {
        Ok(()) => wait_for_any(&[container.as_fd()]).map(drop),
        Err(Errno::ESRCH) => Ok(()),
        Err(errno) => Err(errno).context("kill the container"),
    }
}
// ANCHOR_END: each-other
