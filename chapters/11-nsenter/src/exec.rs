// ANCHOR: exec
//! What does PARENT do, outside?

use std::{
    io::Read,
    net::Shutdown,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use anyhow::Context;
use ch01_uts::{Child, Process, spawn, wait_for_any};
use ch02_ipc::{Channel, End};
use ch03_pid::Job;
use ch06_reexec::SELF;
use ch08_pipe_init::{Streams, reexec_command};
use lab::{Exit, Namespaces, Next, Program, debug, info};
use nix::unistd::Pid;
use rustix::{
    io::Errno,
    process::{PidfdFlags, WaitOptions, pidfd_open, wait},
};

use crate::{ExecOptions, Target, name_process};

/// The name under which CHILD inherits its end of the channel.
pub(crate) const CHANNEL: &str = "nsenter";

/// PARENT: starts CHILD, sends it what it must know, does for INIT what only a process outside can
/// do, and waits for it.
///
/// # Errors
///
/// There is no such container or process, or it has ended; the kernel refuses something; the
/// command cannot be executed.
pub fn exec(options: &ExecOptions) -> anyhow::Result<Exit> {
    let target = options.find_target()?;
    let streams = options.process.streams()?;
    let job = Job::with(streams.terminal())?;
    exec_in(options, target, &job, streams, |streams, init| streams.wait(&job, init))
}

/// The same, for a target that was found: the command gets these streams, and `wait` waits for it.
///
/// # Errors
///
/// As [`exec`].
pub fn exec_in(
    options: &ExecOptions,
    target: Target,
    job: &Job,
    streams: Streams,
    wait: impl FnOnce(Streams, Child) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    name_process("nsenter:PARENT")?;
    let maps = options.maps()?;
    let bootstrap = options.bootstrap(&target, maps.as_ref(), &streams.terminal())?;
    let target = target.still_alive()?; // so all that was read is about it

    let channel = Channel::new()?;
    let mut child = spawn(Namespaces::NONE, || {
        if let Some(missed) = job.release()? {
            return Ok(Next::End(Exit::Signal(missed)));
        }
        streams.hand_over(become_child(&channel)?).map(Next::from)
    })?;
    let channel = channel.in_parent()?;
    // A CHILD that has ended does not read, and says why itself.
    bootstrap
        .write(&channel)
        .unwrap_or_else(|error| info!("send the bootstrap data: {error:#}"));
    let Some(init) = reported(&channel, &mut child, job)? else {
        let interrupted = job.watch(&mut child)?;
        let outcome = job.end(child, interrupted);
        wait_until_alone(channel)?;
        return outcome;
    };
    let init = succeed(child, init)?;
    info!("INIT is {}, and a child of PARENT: CHILD has ended", init.pid());
    job.lend(init.pid())?;
    if options.is_whole() {
        target.share_groups(init.pid())?;
    }
    if let Some(maps) = &maps {
        maps.write(init.pid())?;
    }
    debug!("opening the gate");
    let opened = channel.say();
    let exit = wait(streams, init)?; // an INIT that has ended says why
    opened.map(|()| exit)
}

/// CHILD: this program, started again.
fn become_child(channel: &Channel) -> anyhow::Result<Program> {
    debug!("becoming {SELF}, as CHILD");
    Ok(Program::of_ours(reexec_command(), "child").with(CHANNEL, channel.in_child()?))
}
// ANCHOR_END: exec

// ANCHOR: init-of-mine
/// INIT's pid, which CHILD reports before it ends. `None`: CHILD has ended without a report, or a
/// signal has come.
fn reported(channel: &End, child: &mut Child, job: &Job) -> anyhow::Result<Option<Pid>> {
    let ready = wait_for_any(&[channel.as_fd(), child.process.as_fd(), job.as_fd()])?;
    let (mut pid, mut from) = ([0; 4], channel);
    // If nothing can be read, the other end is closed, and nothing was reported.
    let has_pid = ready[0] && from.read_exact(&mut pid).is_ok();
    Ok(has_pid.then(|| Pid::from_raw(i32::from_ne_bytes(pid))))
}

/// INIT in CHILD's place. INIT was cloned with CLONE_PARENT, so it is a child of this process, and
/// no other process gets its pid before this process has waited for it.
fn succeed(child: Child, init: Pid) -> anyhow::Result<Child> {
    let raw = rustix::process::Pid::from_raw(init.as_raw()).context("INIT has a pid")?;
    let pidfd = pidfd_open(raw, PidfdFlags::empty()).context("pidfd_open of INIT")?;
    let init = Process::new(init, pidfd); // which is killed and waited for if this fails
    let (child, report) = child.into_parts();
    let exit = child.reap()?;
    anyhow::ensure!(exit == Exit::Code(0), "CHILD ended with {exit}");
    Ok(Child::new(init, report))
}

/// An INIT that was not reported waits at its gate. It ends when this end is closed for writing,
/// and with it its own end of the channel is closed. It is a child of this process: until this
/// process has waited for it, the container's PID namespace cannot end.
fn wait_until_alone(channel: End) -> anyhow::Result<()> {
    let mut stream = UnixStream::from(OwnedFd::from(channel));
    // Both fail where the other end is closed already.
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
    loop {
        match wait(WaitOptions::empty()) {
            Err(Errno::CHILD) => return Ok(()),
            Err(Errno::INTR) | Ok(_) => {}
            Err(errno) => return Err(errno).context("wait for INIT"),
        }
    }
}
// ANCHOR_END: init-of-mine
