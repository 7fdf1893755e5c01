//! Chapter 12: what uid 0 of the machine can do, tried where the machine is a guest.

use std::{
    env, fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};

use crate::{
    Bench, Outcome, User,
    checks::{Check, holds},
    patience::patience,
};

/// The kernel executes what this file names after `|`, as root of the machine, when a process
/// crashes (core(5)).
const PATTERN: &str = "/proc/sys/kernel/core_pattern";

pub(super) const CHECKS: &[Check] = &[Check::new(
    12,
    "core_pattern runs no program of the container's as root of the machine",
    "uid 0 of the machine may write core_pattern, and root inside of the stage below is just that: \
     give root's containers ids that nobody has",
    |bench| {
        if env::var_os("JUDGE_GUEST").is_none() {
            let reason = "it would change this machine: only a virtual machine's guest tries it";
            return Ok(Outcome::Skipped(reason.into()));
        }
        let before = fs::read_to_string(PATTERN).context("read core_pattern")?;
        let below = attack(bench, &bench.other("11-nsenter"), "below");
        fs::write(PATTERN, before.trim_end()).context("restore core_pattern")?;
        let here = attack(bench, &bench.binary, "here");
        let after = fs::read_to_string(PATTERN).context("read core_pattern")?;
        fs::write(PATTERN, before.trim_end()).context("restore core_pattern")?;
        ensure!(below?, "on stage 11 the attack failed, so it proves nothing");
        ensure!(!here?, "a program of the container's choice ran as root of the machine");
        ensure!(after == before, "core_pattern is {after}");
        holds()
    },
)
.only_as(User::Root)
.not_in_the_workshop()];

/// Whether root inside can make the kernel touch a file of the machine.
fn attack(bench: &Bench, stage: &Path, name: &str) -> anyhow::Result<bool> {
    let touched = bench.folder.join(name);
    let pattern = format!("|{} {}", program("touch")?.display(), touched.display());
    let script = "umount /proc/sys; echo \"$0\" >/proc/sys/kernel/core_pattern
                  sh -c 'kill -SEGV $$'; true";
    let words = ["run", "-q", "--", "sh", "-c", script, &pattern];
    bench.run(stage, words).finish()?.must_end_with(0)?;
    // The kernel starts the program, and waits for it no longer than for its input to be read.
    let (start, most) = (Instant::now(), patience(Duration::from_millis(500)));
    while !touched.exists() && start.elapsed() < most {
        sleep(Duration::from_millis(20));
    }
    Ok(touched.exists())
}

/// The program's path on the machine.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let folders = ["/usr/bin", "/bin"].map(Path::new);
    let paths = folders.map(|folder| folder.join(name));
    paths
        .into_iter()
        .find(|path| path.exists())
        .with_context(|| format!("no {name} here"))
}
