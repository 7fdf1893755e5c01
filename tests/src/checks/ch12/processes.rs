//! Chapter 12: the runtime's own processes are no way out.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use nix::unistd::Pid;

use crate::{
    checks::{Check, holds},
    layered::{script, with_inside},
    named::{container, container_that, exec},
    opens::opens,
    process::{children_of, status},
    slow, told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        12,
        "no process of the runtime's inside leads to the host",
        "/proc/PID/root, cwd and fd of a process lead to what it has, whatever root you have: who \
         goes in must have nothing of the host's, or must not be looked into (CVE-2016-9962, \
         CVE-2024-21626)",
        |bench| {
            let layer = with_inside(bench)?.display().to_string();
            let base = crate::breach::image(bench, "base")?.display().to_string();
            let options = ["-q", "--init", "--layer", &base, "--layer", &layer];
            let mut running = container_that(bench, "box", &options, "exec /inside watch")?;
            for _ in 0..5 {
                exec(bench, &["box"], "true").finish()?.must_end_with(0)?;
            }
            running.say("end\n")?;
            running.until("looked")?;
            let text = running.output();
            running.release()?.must_end_with(0)?;
            let found: Vec<&str> = text.lines().filter(|line| line.contains("leads")).collect();
            ensure!(found.is_empty(), "inside: {}", told(&found));
            let looks = text.lines().last().unwrap_or_default();
            ensure!(looks.starts_with("looked at "), "inside: {}", told(looks));
            holds()
        },
    )
    .privileged(),
    Check::new(
        12,
        "when the command runs, no other process of the runtime's is inside",
        "what has prepared the container from outside, in its namespaces, must have ended before \
         the command begins",
        |bench| {
            let mut running = script(bench, &[], "echo up; exec cat").start_waiting()?;
            running.until("up\n")?;
            let command = running.command()?;
            let of = |pid: Pid, kind: &str| fs::read_link(format!("/proc/{pid}/ns/{kind}"));
            for kind in ["pid", "net", "uts", "ipc", "mnt", "cgroup"] {
                let own = of(command, kind).with_context(|| format!("the {kind} namespace"))?;
                let mut inside = Vec::new();
                for entry in fs::read_dir("/proc")?.flatten() {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    let Ok(pid) = name.parse().map(Pid::from_raw) else {
                        continue;
                    };
                    if pid != command && of(pid, kind).is_ok_and(|other| other == own) {
                        inside.push(name);
                    }
                }
                ensure!(inside.is_empty(), "in its {kind} namespace: {}", told(&inside));
            }
            ensure!(status(command, "NSpid")?.ends_with("\t1"), "the command is not PID 1");
            for pid in running.processes()? {
                let more = children_of(pid)?.len();
                ensure!(more <= 1, "{pid} of the runtime has {more} children");
            }
            ensure!(Path::new("/proc").join(command.to_string()).exists(), "it has ended");
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        12,
        "nothing is written to /proc from inside",
        "what looks like a file of /proc may be another one, or none of proc's: write what must be \
         written from outside, in the host's /proc (CVE-2019-16884, CVE-2025-52881)",
        |bench| {
            let running = container(bench, "box", &["-q"])?;
            for (run, how) in [
                (script(bench, &["-q"], "true"), "run"),
                (script(bench, &["-q", "--init"], "true"), "run --init"),
                (exec(bench, &["box"], "true"), "exec"),
            ] {
                let Some(opens) = opens(run)? else {
                    return Ok(slow::skipped());
                };
                ensure!(opens.number > 0, "{how}: nothing was opened inside");
                let written: Vec<&String> = opens.written.iter().collect();
                ensure!(written.is_empty(), "{how} writes inside: {}", told(&written));
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
];
