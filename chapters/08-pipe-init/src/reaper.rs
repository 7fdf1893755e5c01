// ANCHOR: all
//! What must a PID 1 do if it stays?
//!
//! When a process ends, its children become PID 1's. When one of those ends, it is a zombie until
//! PID 1 waits for it. A command that does not expect to be PID 1 waits only for the children it
//! knows. So this PID 1 waits for all. It also passes on the signals that it gets: as PID 1, the
//! command would get only those that it handles or blocks.
//! Source: pid_namespaces(7), wait(2), signalfd(2).

use std::{
    io::{Read, Write, pipe},
    process,
};

use anyhow::Context;
use ch01_uts::{Cloned, Process, clone};
use lab::{Exit, Namespaces, Program, debug, errors::signal_name, exec::inherited_errors, info};
use nix::{
    errno::Errno,
    sys::{
        signal::{SigSet, Signal},
        signalfd::{SignalFd, siginfo},
    },
    unistd::Pid,
};
use rustix::process::{WaitOptions, wait};

use crate::take_streams;

/// Starts the command as a child, does `stay` itself, and only then lets the child go on. Stays
/// until the command ends: its end is this process's end, and the kernel then kills all that are
/// left.
///
/// # Errors
///
/// No pipe or no clone, or the command's process cannot be waited for. Other errors go into the
/// error pipe: what keeps this process from staying, and what the command's process reports.
pub fn stay_and_reap(
    command: impl FnOnce() -> anyhow::Result<Program>,
    stay: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Exit> {
    info!("staying as PID 1, the command is a child");
    take_streams()?; // root inside may open all that PID 1 has open
    let before = SigSet::thread_get_mask().context("read the signal mask")?;
    held().thread_block().context("block signals")?;
    let errors = inherited_errors();
    let (mut stays, mut says) = pipe().context("pipe")?;
    match clone(Namespaces::NONE)? {
        Cloned::Child => {
            drop(says);
            if stays.read(&mut [0]).context("wait for PID 1")? == 0 {
                process::exit(1); // PID 1 has ended, and said why
            }
            drop(stays);
            before.thread_set_mask().context("restore the signal mask")?;
            process::exit(lab::go_on(command(), errors).into())
        }
        Cloned::Parent(child) => {
            drop(stays);
            let ready = || {
                let signals = SignalFd::new(&held()).context("make a signalfd")?;
                stay().map(|()| signals)
            };
            let signals = match ready() {
                Ok(signals) => signals,
                Err(error) => {
                    let error: anyhow::Result<Program> = Err(error);
                    process::exit(lab::go_on(error, errors).into())
                }
            };
            // From here to its execve(2), only the command's process has the error pipe.
            drop(errors);
            // A pipe: a filter may refuse the sendto(2) of a channel, but not write(2).
            says.write_all(b"!").context("let the command's process go on")?;
            drop(says);
            serve(&child, &signals)
        }
    }
}

/// All signals but SIGPIPE, which stays ignored: our own log may be written to a closed pipe.
fn held() -> SigSet {
    let mut held = SigSet::all();
    held.remove(Signal::SIGPIPE);
    held
}

/// Reaps and passes on until the command has ended.
fn serve(command: &Process, signals: &SignalFd) -> anyhow::Result<Exit> {
    loop {
        let Some(arrived) = signals.read_signal().context("read the signalfd")? else {
            continue;
        };
        match arrived.ssi_signo as i32 {
            libc::SIGCHLD => {
                if let Some(exit) = reap(command.pid())? {
                    return Ok(exit);
                }
            }
            signal if !is_typed(&arrived) => {
                info!("{}: passing it on to {}", signal_name(signal), command.pid());
                match command.send(signal) {
                    Ok(()) | Err(Errno::ESRCH) => {}
                    Err(errno) => return Err(errno).context("pass a signal on"),
                }
            }
            _ => {}
        }
    }
}

/// Signals of the terminal's keys reach the command without us: it is in the same process group.
/// The kernel sends these itself, with a code above zero (sigaction(2), si_code).
fn is_typed(arrived: &siginfo) -> bool {
    arrived.ssi_code > 0
}

/// Waits for every process that has ended. Returns the command's end.
fn reap(command: Pid) -> anyhow::Result<Option<Exit>> {
    // ANCHOR: exercise-reap
    while let Some((pid, status)) = wait(WaitOptions::NOHANG).context("wait for all")? {
        if pid.as_raw_pid() == command.as_raw() {
            return Ok(match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => Some(Exit::Code(code as u8)),
                (None, signal) => signal.map(Exit::Signal),
            });
        }
        debug!("reaped the orphan {pid:?}");
    }
    Ok(None)
    // ANCHOR_END: exercise-reap
}
// ANCHOR_END: all
