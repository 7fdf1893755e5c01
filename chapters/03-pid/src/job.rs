// ANCHOR: job
//! What does a parent do while PID 1 runs?
//!
//! It passes signals on, and lends its place in the terminal's foreground. Both begin before the
//! child is made and end after it: one value for the time between, as a shell has its job.

use std::{
    cell::Cell,
    fs,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    process,
};

use anyhow::Context;
use ch01_uts::{Child, Cloned, Process, clone, die_with_parent, spawn, wait_for_any};
use ch02_ipc::Channel;
use lab::{Exit, Namespaces, Next, Start, errors::signal_name, info, warn};
use nix::{errno::Errno, unistd::Pid};

use crate::{
    signals::{Arrived, Held},
    terminal::{Terminal, leads_its_session},
};

/// What this process does for a child that is to become a command.
pub struct Job {
    held: Held,
    terminal: Terminal,
    has_lent: Cell<bool>,
}

impl Job {
    /// A job with the terminal's foreground, if this process has that for itself. To be made before
    /// anything that must be removed later: from now on, signals do not end this process.
    ///
    /// # Errors
    ///
    /// The terminal's settings cannot be read.
    pub fn new() -> anyhow::Result<Job> {
        Job::with(Terminal::find()?)
    }

    /// A job with this part of the terminal.
    ///
    /// # Errors
    ///
    /// The kernel refuses to block signals.
    pub fn with(terminal: Terminal) -> anyhow::Result<Job> {
        let held = Held::new()?;
        if terminal.is_lent() && leads_its_session() {
            go_on_as_a_follower(&held)?;
        }
        Ok(Job {
            held,
            terminal,
            has_lent: Cell::new(false),
        })
    }

    /// Starts the child, as [`ch01_uts::spawn`] does.
    ///
    /// # Errors
    ///
    /// As there; or the terminal has gone.
    pub fn spawn<N: Into<Next>>(
        &self,
        namespaces: Namespaces,
        child: impl FnOnce() -> anyhow::Result<N>,
    ) -> anyhow::Result<Child> {
        let lending = Channel::new()?;
        let started = spawn(namespaces, || {
            lending.in_child()?.wait()?;
            self.terminal.take()?;
            let missed = self.release()?;
            // Also if one was missed: the parent must not find that the child has ended already.
            let next = child()?.into();
            Ok(missed.map_or(next, |missed| Exit::Signal(missed).into()))
        })?;
        let lending = lending.in_parent()?;
        self.lend(started.pid())?;
        lending.say()?;
        Ok(started)
    }

    /// The child, or a parent that goes on: gets signals again, as before this job. Returns one
    /// that came meanwhile: the kernel would drop it, for a PID 1.
    ///
    /// # Errors
    ///
    /// The kernel refuses the signal mask.
    pub fn release(&self) -> anyhow::Result<Option<i32>> {
        Ok(self.held.release()?.map(|missed| missed.signal))
    }

    /// The parent, as long as a child waits: lends it the terminal.
    ///
    /// # Errors
    ///
    /// The terminal has gone.
    pub fn lend(&self, child: Pid) -> anyhow::Result<()> {
        self.has_lent.set(true);
        self.terminal.lend(child)
    }

    /// Waits for the child. A signal that arrives meanwhile is for the command. Before the command
    /// runs, a signal ends the start.
    ///
    /// # Errors
    ///
    /// The error of a child that never became the command.
    pub fn wait(&self, mut child: Child) -> anyhow::Result<Exit> {
        let interrupted = self.watch(&mut child)?;
        self.end(child, interrupted)
    }

    /// The first half: passes signals on until the child has ended. Returns the signal that ended
    /// the start.
    ///
    /// # Errors
    ///
    /// As poll(2).
    pub fn watch(&self, child: &mut Child) -> anyhow::Result<Option<i32>> {
        let mut interrupted = None;
        while !child.wait_or(&[self.held.as_fd()])? {
            while let Some(arrived) = self.held.next()? {
                match child.start() {
                    Start::Executes => self.pass_on(child, arrived)?,
                    _ => {
                        interrupted = Some(arrived.signal);
                        kill(&child.process, libc::SIGKILL)?;
                    }
                }
            }
        }
        Ok(interrupted)
    }

    /// Passes all signals that have arrived on to a process that has a copy of this job, and waits
    /// for the command in our place.
    ///
    /// # Errors
    ///
    /// As pidfd_send_signal(2).
    pub fn pass_all_on(&self, process: &Process) -> anyhow::Result<()> {
        pass_all_on(&self.held, process)
    }

    /// The second half: takes the terminal back, and returns how the child ended.
    ///
    /// # Errors
    ///
    /// As [`Job::wait`].
    pub fn end(&self, child: Child, interrupted: Option<i32>) -> anyhow::Result<Exit> {
        let outcome = child.outcome();
        self.take_terminal_back(!matches!(outcome, Ok(Exit::Code(_))));
        match (outcome, interrupted) {
            // It may have become the command a moment before our SIGKILL.
            (Err(_) | Ok(Exit::Signal(libc::SIGKILL)), Some(signal)) => {
                info!("{} before the command ran", signal_name(signal));
                Ok(Exit::Signal(signal))
            }
            (outcome, _) => outcome,
        }
    }

    /// Takes the terminal back, and sets it back if the command was killed and could not.
    pub fn take_terminal_back(&self, was_killed: bool) {
        self.has_lent.set(false);
        if let Err(error) = self.terminal.take_back(was_killed) {
            warn!("the terminal is gone: {error:#}");
        }
    }

    fn pass_on(&self, child: &Child, arrived: Arrived) -> anyhow::Result<()> {
        // ANCHOR: exercise-deaf
        let signal = arrived.signal;
        if is_deaf(child.process.as_fd(), signal).unwrap_or(false) {
            warn!("{}: PID 1 does not listen to it, so SIGKILL", signal_name(signal));
            return kill(&child.process, libc::SIGKILL);
        }
        if arrived.is_typed && self.terminal.is_lent() {
            Ok(())
        } else {
            kill(&child.process, signal)
        }
        // ANCHOR_END: exercise-deaf
    }
}

/// An error may end a job before its child's end is awaited.
impl Drop for Job {
    fn drop(&mut self) {
        if self.has_lent.get() {
            self.take_terminal_back(true);
        }
    }
}

/// Can be read when a signal has arrived.
impl AsFd for Job {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.held.as_fd()
    }
}

/// A child that has ended meanwhile needs no signal.
fn kill(child: &Process, signal: i32) -> anyhow::Result<()> {
    match child.send(signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(errno) => {
            Err(errno).with_context(|| format!("send {} to {}", signal_name(signal), child.pid()))
        }
    }
}
// ANCHOR_END: job

// ANCHOR: deaf
/// Whether the kernel would drop `signal`: the process is PID 1 of its namespace, and neither
/// handles nor blocks nor ignores it (the masks SigCgt, SigBlk and SigIgn, proc_pid_status(5)). A
/// blocked signal stays pending: many inits read their signals so. SIGKILL and SIGSTOP from outside
/// always work.
///
/// # Errors
///
/// It has ended; /proc is another PID namespace's.
pub fn is_deaf(process: BorrowedFd, signal: i32) -> anyhow::Result<bool> {
    if [libc::SIGKILL, libc::SIGSTOP].contains(&signal) {
        return Ok(false);
    }
    // The mounted /proc may be another PID namespace's. fdinfo has the process's pid in that one.
    let about = fs::read_to_string(format!("/proc/self/fdinfo/{}", process.as_raw_fd()))?;
    let folder = format!("/proc/{}", field(&about, "Pid:"));
    let status = fs::read(format!("{folder}/status"))?; // the name in it may be no UTF-8
    Ok(drops(&String::from_utf8_lossy(&status), signal) && !is_in_sigwait(&folder))
}

/// What its status says of that.
fn drops(status: &str, signal: i32) -> bool {
    let mask = |name: &str| u64::from_str_radix(field(status, name), 16).unwrap_or(0);
    let is_init = field(status, "NSpid:").split('\t').next_back() == Some("1");
    let bit = 1 << (signal - 1);
    let listens = (mask("SigCgt:") | mask("SigBlk:") | mask("SigIgn:")) & bit != 0;
    is_init && !listens
}

/// While sigwait(3) sleeps, the signals that it waits for are not in the mask of blocked ones.
fn is_in_sigwait(folder: &str) -> bool {
    let sigwait = libc::SYS_rt_sigtimedwait.to_string();
    let call = fs::read_to_string(format!("{folder}/syscall")); // `NUMBER ARGUMENTS…`
    call.is_ok_and(|call| call.split(' ').next() == Some(&sigwait))
}

fn field<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim()
}
// ANCHOR_END: deaf

// ANCHOR: follower
/// The leader of a session cannot change its process group. So a child goes on in its place. This
/// process passes its signals on (the kernel sends SIGHUP to the leader only, when the terminal is
/// closed), and ends as the child does.
fn go_on_as_a_follower(held: &Held) -> anyhow::Result<()> {
    match clone(Namespaces::NONE)? {
        Cloned::Child => die_with_parent(),
        Cloned::Parent(follower) => {
            process::exit(wait_and_pass_on(held, follower)?.status().into())
        }
    }
}

/// Waits for a process that passes signals on itself, and gives it all that arrive.
pub(crate) fn wait_and_pass_on(held: &Held, process: Process) -> anyhow::Result<Exit> {
    loop {
        let has_ended = wait_for_any(&[process.as_fd(), held.as_fd()])?[0];
        pass_all_on(held, &process)?;
        if has_ended {
            return process.reap();
        }
    }
}

/// The other process is in the same group, so it has what the terminal sent.
fn pass_all_on(held: &Held, process: &Process) -> anyhow::Result<()> {
    while let Some(arrived) = held.next()? {
        if !arrived.is_typed {
            kill(process, arrived.signal)?;
        }
    }
    Ok(())
}
// ANCHOR_END: follower

#[cfg(test)]
mod properties;
