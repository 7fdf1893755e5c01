//! Which files do a stage's processes open for writing, once they have the container's root?
//!
//! They are stopped at each of their system calls (ptrace(2)), and the kernel is asked which call
//! it is, and which root the process has.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::unix::fs::{FileExt, MetadataExt},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::{
    errno::Errno,
    sys::{
        ptrace::{self, Event, Options},
        wait::{Id, WaitPidFlag, WaitStatus, waitid},
    },
    unistd::Pid,
};

use crate::{
    bench::Run,
    patience,
    process::{name, wait_for_end},
    slow::{self, events, let_go, unless_it_ended},
};

const EXIT: i32 = Event::PTRACE_EVENT_EXIT as i32;

/// What was seen.
#[derive(Default)]
pub struct Opens {
    /// The files that were opened for writing with the container's root: `PATH by NAME`.
    pub written: BTreeSet<String>,
    /// How many were opened with it at all.
    pub number: u32,
    known: BTreeSet<Pid>,
}

/// Runs it to its end, which must be 0. `None` where nobody may trace a child.
///
/// # Errors
///
/// It hangs, or ends with another status.
pub fn opens(run: Run) -> anyhow::Result<Option<Opens>> {
    let bound = patience(run.bound());
    let Some(running) = slow::start(run)? else {
        return Ok(None);
    };
    let mut opens = Opens::default();
    let start = Instant::now();
    loop {
        // Not WEXITED: the end of the stage is for those who started it.
        let stopped = WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG | WaitPidFlag::__WALL;
        match waitid(Id::All, stopped).context("wait for the traced processes")? {
            WaitStatus::StillAlive if wait_for_end(running.pid(), Duration::ZERO)? => break,
            WaitStatus::StillAlive => {
                ensure!(start.elapsed() < bound, "it hangs");
                opens.bury(running.pid())?;
                sleep(Duration::from_micros(50));
            }
            WaitStatus::PtraceEvent(pid, _, EXIT) => let_go(pid)?,
            stopped => opens.go_on(stopped)?,
        }
    }
    running.finish()?.must_end_with(0)?;
    Ok(Some(opens))
}

impl Opens {
    /// Looks at what stopped the process, and lets it go on to its next call.
    fn go_on(&mut self, stopped: WaitStatus) -> anyhow::Result<()> {
        let Some(pid) = stopped.pid() else {
            return Ok(());
        };
        let mut signal = None;
        if self.known.insert(pid) {
            // The stage's own stop, at its execve, or a new process's, which inherits the options.
            let options = events() | Options::PTRACE_O_TRACEEXIT;
            unless_it_ended(ptrace::setoptions(pid, options))?;
        } else {
            match stopped {
                WaitStatus::PtraceSyscall(pid) => self.look(pid),
                WaitStatus::PtraceEvent(_, arrived, 0) => signal = Some(arrived),
                _ => {}
            }
        }
        unless_it_ended(ptrace::syscall(pid, signal))
    }

    /// A process or thread that was killed may end without a stop. Until its tracer has waited for
    /// it, its parent cannot (ptrace(2), "Death under ptrace").
    fn bury(&mut self, stage: Pid) -> anyhow::Result<()> {
        let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::__WALL;
        for pid in self.known.iter().filter(|pid| **pid != stage) {
            // A tracer sees stops here too: they are left for the loop.
            match waitid(Id::Pid(*pid), ended | WaitPidFlag::WNOWAIT) {
                Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) => {
                    waitid(Id::Pid(*pid), ended).context("wait for a process that was killed")?;
                }
                Ok(_) | Err(Errno::ECHILD) => {} // it lives, or was let go
                Err(errno) => return Err(errno).context("look for a process that was killed"),
            }
        }
        Ok(())
    }

    fn look(&mut self, pid: Pid) {
        let Some((path, flags)) = opened(pid) else {
            return;
        };
        let root = |pid: &str| fs::metadata(format!("/proc/{pid}/root/"));
        let (Ok(own), Ok(its)) = (root("self"), root(&pid.to_string())) else {
            return; // it has ended
        };
        if (own.dev(), own.ino()) != (its.dev(), its.ino()) {
            self.number += 1;
            if flags & libc::O_ACCMODE as u64 != libc::O_RDONLY as u64 {
                self.written.insert(format!("{path} by {}", name(pid)));
            }
        }
    }
}

/// The path and the flags with which the process begins to open a file.
fn opened(pid: Pid) -> Option<(String, u64)> {
    let info = ptrace::syscall_info(pid).ok()?;
    if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return None;
    }
    // SAFETY: at an entry the kernel has filled in this part.
    let entry = unsafe { info.u.entry };
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut path = [0; 256];
    let flags = match entry.nr as libc::c_long {
        libc::SYS_openat => entry.args[2],
        libc::SYS_openat2 => {
            let mut flags = [0; 8];
            memory.read_exact_at(&mut flags, entry.args[2]).ok()?;
            u64::from_ne_bytes(flags)
        }
        _ => return None,
    };
    let length = memory.read_at(&mut path, entry.args[1]).ok()?;
    let path = path[..length].split(|byte| *byte == 0).next()?;
    Some((String::from_utf8_lossy(path).into_owned(), flags))
}
