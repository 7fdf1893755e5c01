//! Chapter 10: what happens between two system calls of `kill`.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::{errno::Errno, sys::signal::Signal};

use super::kill::{WAITS, warns};
use crate::{
    Bench, Outcome, User,
    bench::Running,
    checks::{Check, holds},
    named::{call, container, container_that, entry, without_container},
    patience,
    process::{start_time, state, wait_for_end},
    reused::{Sleeper, while_it_is_at},
    seccomp::refuse,
    slow,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        10,
        "a process that gets the pid meanwhile gets no signal",
        "open the pidfd first, and then find out by its pid whether it is the process of the \
         entry: what you read before you opened it was perhaps another process's",
        |bench| {
            // While another container runs, the folder of the entries is there.
            let running = container(bench, "box", &["-q", "--rootfs", "/"])?;
            let text = without_container(bench, "box")?;
            // In each of the calls that come before a signal is sent, and in that one.
            for number in 1.. {
                match with_another_at(bench, &text, number)? {
                    Meanwhile::Refused(reason) => {
                        clear(bench, running)?;
                        return Ok(Outcome::Skipped(reason));
                    }
                    Meanwhile::Unharmed => {}
                    Meanwhile::NoSuchCall => {
                        ensure!(number > 2, "kill opens no pidfd and sends no signal");
                        break;
                    }
                }
            }
            clear(bench, running)?;
            holds()
        },
    )
    // An ordinary user cannot say which pid the next process gets.
    .only_as(User::Root),
    Check::new(
        10,
        "kill looks for a handler before it sends the signal",
        "the signal may end PID 1, and what has ended has no handler: ask first, and send then",
        |bench| {
            let running = container_that(bench, "box", &["--rootfs", "/"], WAITS)?;
            let command = running.command()?;
            let Some(killing) = slow::start(call(bench, &["kill", "box"]))? else {
                running.signal(Signal::SIGTERM)?;
                running.finish()?.must_end_with(5)?;
                return Ok(slow::skipped());
            };
            let mut has_sent = false;
            let is_after = |call| {
                let is_after = has_sent;
                has_sent |= call == libc::SYS_pidfd_send_signal;
                is_after
            };
            let waited = while_it_is_at(killing.pid(), bench.bound, is_after, || {
                ensure!(wait_for_end(command, patience(bench.bound))?, "TERM has not ended PID 1");
                // Its parent waits for it, and then nothing is left of it.
                let ended = Instant::now();
                while state(command).is_some() && ended.elapsed() < patience(bench.bound) {
                    sleep(Duration::from_millis(1));
                }
                Ok(())
            });
            let ended = killing.finish()?;
            if ended.status() != 0 {
                running.signal(Signal::SIGTERM)?;
            }
            running.finish()?.must_end_with(5)?;
            let ended = ended.must_end_with(0).context("where the signal ends PID 1 at once")?;
            ensure!(waited?, "it ends without pidfd_send_signal(2), or right after it");
            ensure!(!warns(&ended), "PID 1 had a handler, and kill says that it has none");
            holds()
        },
    ),
];

/// How a `kill` ended whose target's pid another process got.
enum Meanwhile {
    /// The other process got no signal.
    Unharmed,
    /// There are fewer calls than that.
    NoSuchCall,
    /// It cannot be tried here.
    Refused(String),
}

/// Ends the container, whose run the other entry names too, and lets `ps` clear that.
pub(in crate::checks) fn clear(bench: &Bench, running: Running) -> anyhow::Result<()> {
    running.release()?.must_end_with(0)?;
    call(bench, &["ps"]).finish()?.must_end_with(0).map(drop)
}

/// Sends a signal to a process by its entry, and gives its pid to another one meanwhile.
fn with_another_at(bench: &Bench, text: &str, number: usize) -> anyhow::Result<Meanwhile> {
    let (killing, another) = match replaced_at(bench, text, number, "kill")? {
        Err(reason) => return Ok(Meanwhile::Refused(reason)),
        Ok(both) => both,
    };
    let ended = killing.finish()?;
    let Some(another) = another else {
        ended.must_end_with(0)?;
        return Ok(Meanwhile::NoSuchCall);
    };
    let is_hit = wait_for_end(another.pid(), Duration::from_millis(20))?;
    ensure!(!is_hit, "the signal hit a process that got the pid meanwhile");
    ended.must_end_with(125)?.must_complain(&["old"])?;
    Ok(Meanwhile::Unharmed)
}

/// A run of this subcommand on a process by its entry, and another process that got the pid while
/// the stage was at the call of this number, of those that it needs; `None` if it makes fewer. The
/// reason, if it cannot be tried here.
pub(in crate::checks) fn replaced_at(
    bench: &Bench,
    text: &str,
    number: usize,
    subcommand: &str,
) -> anyhow::Result<Result<(Running, Option<Sleeper>), String>> {
    let target = Sleeper::new(None).context("a process")?;
    let pid = target.pid();
    fs::write(entry(bench, "old"), format!("{text}container {pid} {} 0\n", start_time(pid)?))?;
    // As before Linux 6.9, where a pidfd has no inode number of its own.
    let run = call(bench, &[subcommand, "old"]).with(refuse(&[libc::SYS_fstatfs], Errno::ENOSYS)?);
    let Some(running) = slow::start(run)? else {
        return Ok(Err(slow::REFUSED.into()));
    };
    sleep(Duration::from_millis(20)); // a later tick of the clock
    let mut made = 0;
    let is_it = |call| {
        made += usize::from(NEEDED.contains(&call));
        made == number
    };
    let mut another = Err(Errno::EEXIST);
    let is_at = while_it_is_at(running.pid(), bench.bound, is_it, || {
        drop(target);
        another = Sleeper::new(Some(pid));
        Ok(())
    })?;
    Ok(match another {
        _ if !is_at => Ok((running, None)),
        Err(Errno::EPERM | Errno::ENOSYS) => {
            running.finish()?;
            Err("no process can choose its pid here".into())
        }
        another => Ok((running, Some(another.context("another process with the target's pid")?))),
    })
}

/// The calls between which the pid may change hands.
const NEEDED: [libc::c_long; 3] =
    [libc::SYS_pidfd_open, libc::SYS_pidfd_send_signal, libc::SYS_kill];
