//! Chapter 3: PID 1 inside, any number outside.

use std::fs;

use anyhow::{Context, ensure};

use crate::checks::{Check, holds};
use crate::told;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        3,
        "the command is PID 1, and has another pid outside",
        "the first process in a new PID namespace is its PID 1: clone(2) with CLONE_NEWPID, and \
         execve(2) keeps the pid",
        |bench| {
            let mut running = bench.script("echo pid $$; read wait || exit 0").start_waiting()?;
            running.until("pid")?;
            ensure!(running.output() == "pid 1\n", "the command says {}", told(&running.output()));
            let child = running.command()?;
            let status = fs::read_to_string(format!("/proc/{child}/status"))?;
            let pids = status
                .lines()
                .find_map(|line| line.strip_prefix("NSpid:"))
                .context("no NSpid in /proc/PID/status")?;
            let pids: Vec<&str> = pids.split_whitespace().collect();
            ensure!(
                pids == [child.to_string().as_str(), "1"],
                "the kernel says that the child's pids are {pids}",
                pids = told(&pids)
            );
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        3,
        "the log shows one process under two pids",
        "/proc shows the PID namespace that it was mounted for, to every reader: here the link \
         /proc/self has the outer pid",
        |bench| {
            let ended = bench.script("true").finish()?.must_end_with(0)?;
            let said = ended.messages();
            let inside = said.iter().find_map(|message| message.strip_prefix("PID 1 in here, "));
            let inside = inside.and_then(|rest| rest.split(' ').next()).with_context(|| {
                format!(
                    "the log has no line `PID 1 in here, N in …` with the pid outside for N; \
                         it said: {}",
                    ended.errors
                )
            })?;
            let ended: Vec<&str> = said
                .iter()
                .filter_map(|message| message.strip_suffix(" ended with status 0"))
                .collect();
            ensure!(
                ended.contains(&inside),
                "the child's line has the outer pid {inside}, the parent's last lines have {}",
                ended.join(", ")
            );
            holds()
        },
    ),
    Check::new(
        3,
        "what the command left in the background ends with it",
        "when PID 1 ends, the kernel kills every other process of its PID namespace \
         (pid_namespaces(7))",
        |bench| {
            // Whether anybody stays is looked at after every check.
            bench.script("sleep 1000 & sleep 1000 & exit 4").finish()?.must_end_with(4)?;
            holds()
        },
    ),
];
