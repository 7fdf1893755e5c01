//! Chapter 13: what the processes of a container may call and use.

mod calls;
mod effects;
mod exec;
mod files;
mod hidden;
mod limits;
mod refused;
mod sets;
mod words;
mod workshop;

use std::fmt;

use anyhow::{Context, ensure};
use nix::{sys::signal::Signal, unistd::Pid};

use super::Check;
use crate::{
    Bench,
    layered::layers_with_inside,
    named::{call, exec},
    process::{children_of, status},
};

/// In the order in which a reader meets them.
pub(super) const CHECKS: &[&[Check]] = &[
    sets::CHECKS,
    refused::CHECKS,
    effects::CHECKS,
    calls::CHECKS,
    files::CHECKS,
    words::CHECKS,
    exec::CHECKS,
    hidden::CHECKS,
    limits::CHECKS,
    workshop::CHECKS,
];

/// Root's capabilities in Docker: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID,
/// SETPCAP, NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE and SETFCAP.
const OF_DOCKER: u64 = 0xa804_25fb;

/// Nothing is taken away but what the kernel itself refuses.
const OPEN: [&str; 4] = ["--seccomp", "unconfined", "--cap-add", "ALL"];

/// What the kernel says a process may do.
#[derive(PartialEq, Eq)]
struct Rights {
    /// Inheritable, permitted, effective, bounding and ambient capabilities.
    sets: [u64; 5],
    no_new_privileges: bool,
    has_filter: bool,
}

impl Rights {
    /// Root's in a container that keeps this set.
    fn of_root(kept: u64) -> Rights {
        Rights {
            sets: [0, kept, kept, kept, 0],
            no_new_privileges: true,
            has_filter: true,
        }
    }

    /// Another user's.
    fn of_others(kept: u64) -> Rights {
        Rights {
            sets: [0, 0, 0, kept, 0],
            ..Rights::of_root(kept)
        }
    }

    fn of(pid: Pid) -> anyhow::Result<Rights> {
        let set = |field| {
            let digits = status(pid, field)?;
            u64::from_str_radix(&digits, 16).with_context(|| format!("{field} {digits}"))
        };
        Ok(Rights {
            sets: [set("CapInh")?, set("CapPrm")?, set("CapEff")?, set("CapBnd")?, set("CapAmb")?],
            no_new_privileges: status(pid, "NoNewPrivs")? == "1",
            has_filter: status(pid, "Seccomp")? == "2",
        })
    }

    /// The process must have just these.
    fn must_be_of(&self, pid: Pid) -> anyhow::Result<()> {
        let found = Rights::of(pid)?;
        ensure!(found == *self, "it has {found}, not {self}");
        Ok(())
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let [inheritable, permitted, effective, bounding, ambient] = self.sets;
        write!(
            f,
            "inheritable {inheritable:x}, permitted {permitted:x}, effective {effective:x}, \
             bounding {bounding:x}, ambient {ambient:x}, no_new_privs {}, filter {}",
            self.no_new_privileges, self.has_filter
        )
    }
}

/// What is seen of the command of an `exec` while it runs.
fn in_exec<T>(
    bench: &Bench,
    how: &[&str],
    look: impl FnOnce(Pid) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut joined = exec(bench, how, "echo up; exec sleep 1000").start()?;
    joined.until("up\n")?;
    let command = children_of(joined.pid())?.first().copied();
    let seen = command.context("exec has no child").and_then(look);
    joined.signal(Signal::SIGTERM)?;
    joined.finish()?.must_end_with(143)?;
    seen.with_context(|| format!("exec {}", how.join(" ")))
}

/// The kernel's answers to these calls of the judge's program in a container with these options.
fn answers(bench: &Bench, options: &[&str], calls: &[String]) -> anyhow::Result<Vec<String>> {
    let layers = layers_with_inside(bench)?;
    let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    let words = [&["run", "-q"], options, &layers, &["--", "/inside", "call"], &calls].concat();
    let ended = call(bench, &words).finish()?.must_end_with(0)?;
    let answers: Vec<String> = ended.text().lines().map(str::to_owned).collect();
    ensure!(
        answers.len() == calls.len(),
        "{} answers to {} calls",
        answers.len(),
        calls.len()
    );
    Ok(answers)
}
