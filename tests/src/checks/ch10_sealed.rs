//! Chapter 10: what goes into a container, and what can be done to it from inside.

use std::{
    fs::{self, File},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::{
    fcntl::{FcntlArg, SealFlag, fcntl},
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};

use super::{
    Check, Outcome,
    ch10::{container, container_that, exec, nsenter},
    holds,
};
use crate::{
    bench::Bench,
    patience,
    process::{self, children_of},
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        10,
        "the program cannot be overwritten from inside",
        "/proc/PID/exe leads to the program's file: let in a copy in memory only, with all \
         four seals (CVE-2019-5736)",
        |bench| {
            let victim = copy(bench, &bench.binary)?;
            let before = fs::read(&victim)?;
            let written = attack(bench, &victim, &["exec"])?;
            ensure!(fs::read(&victim)? == before, "{} was overwritten", victim.display());
            ensure!(!written, "what was executed could be written to");
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        10,
        "what exec executes has all four seals",
        "each seal forbids one kind of change: WRITE of the bytes, GROW and SHRINK of the \
         length, SEAL of the list of seals",
        |bench| {
            let running = container(bench, "box", &["--rootfs", "/"])?;
            let mut inside = exec(bench, &["-i", "box"], "echo ready; cat").start_waiting()?;
            inside.until("ready\n")?;
            let program = File::open(format!("/proc/{}/exe", inside.pid()))
                .context("open the program of exec")?;
            let found = fcntl(&program, FcntlArg::F_GET_SEALS)
                .context("F_GET_SEALS: it is no file in memory")?;
            inside.release()?.must_end_with(0)?;
            running.release()?.must_end_with(0)?;
            let found = SealFlag::from_bits_retain(found);
            for (seal, name) in [
                (SealFlag::F_SEAL_WRITE, "F_SEAL_WRITE"),
                (SealFlag::F_SEAL_GROW, "F_SEAL_GROW"),
                (SealFlag::F_SEAL_SHRINK, "F_SEAL_SHRINK"),
                (SealFlag::F_SEAL_SEAL, "F_SEAL_SEAL"),
            ] {
                ensure!(
                    found.contains(seal),
                    "the program that goes in has not {name}, only {found:?}"
                );
            }
            holds()
        },
    ),
    Check::new(
        10,
        "without the seal it can be overwritten",
        "this is the attack that the sealed copy is against: if it does not succeed here, \
         nothing was proven",
        |bench| {
            let places = ["unsealed", "examples/unsealed"].map(|name| bench.other(name));
            let Some(example) = places.iter().find(|file| file.exists()) else {
                return Ok(Outcome::Skipped(
                    "the example `unsealed` is not built: `cargo build --workspace \
                     --examples`"
                        .into(),
                ));
            };
            let victim = copy(bench, example)?;
            let written = attack(bench, &victim, &[])?;
            ensure!(written, "the attack failed although nothing was sealed");
            ensure!(fs::read(&victim)? == b"pwned\n", "{} was not overwritten", victim.display());
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        10,
        "a PID 1 that stays is a sealed copy too",
        "seals are for the content; mode and owner of a file on a disk could be changed \
         through /proc/1/exe as well",
        |bench| {
            let program = copy(bench, &bench.binary)?;
            let before = (fs::read(&program)?, fs::metadata(&program)?.mode());
            let script = "chmod 0 /proc/1/exe; exec 9</proc/1/exe; { echo pwned \
                          >/proc/self/fd/9; } 2>/dev/null && echo written; true";
            for rootfs in [&[][..], &["--rootfs", "/"]] {
                let words =
                    [&["run", "-q", "--init"][..], rootfs, &["--", "sh", "-c", script]].concat();
                let ended = bench.run(&program, words).finish()?.must_end_with(0)?;
                ensure!(ended.text().is_empty(), "it could write to the program of PID 1");
                ensure!(
                    (fs::read(&program)?, fs::metadata(&program)?.mode()) == before,
                    "the program is not as it was"
                );
            }
            holds()
        },
    ),
    Check::new(
        10,
        "nobody inside can look into INIT before it is the command",
        "until its execve INIT is a piece of the host: PR_SET_DUMPABLE 0 hides its memory \
         and what it has open (CVE-2016-9962)",
        |bench| {
            let look = "
        echo up
        while read line; do
            for process in /proc/[0-9]*; do
                [ \"$(cat $process/comm)\" = nsenter:INIT ] || continue
                for link in $process/exe $process/root $process/fd/[0-9]*; do
                    readlink $link >/dev/null 2>&1 && echo $link
                done
            done
            echo looked
        done
    ";
            let mut running = container_that(bench, "box", &["-q"], look)?;
            let start = Instant::now();
            // INIT waits for its parent: if that stops, it waits until somebody has looked.
            loop {
                let inside = nsenter(bench, &["exec", "-q", "box", "--", "true"]).start()?;
                let waits = stopped_at_the_gate(inside.pid())?;
                if let Some(init) = waits {
                    running.say("look\n")?;
                    running.until("looked\n")?;
                    ensure!(
                        process::name(init) == "nsenter:INIT",
                        "INIT went on, although its parent is stopped"
                    );
                }
                inside.signal(Signal::SIGCONT)?;
                inside.finish()?.must_end_with(0)?;
                if waits.is_some() {
                    break;
                }
                ensure!(
                    start.elapsed() < patience(Duration::from_secs(20)),
                    "INIT was never seen at the gate"
                );
            }
            let text = running.output();
            running.release()?.must_end_with(0)?;
            ensure!(text == "up\nlooked\n", "somebody inside could look into INIT: {text:?}");
            holds()
        },
    ),
];

/// Takes hold of the first program that is not of the container, as soon as it can be opened.
const ATTACK: &str = "
    echo up
    while [ -z \"$held\" ]; do
        for process in /proc/[0-9]*; do
            case $(readlink $process/exe) in
                *10-nsenter*|*victim*) { exec 9<$process/exe; } 2>/dev/null && held=$process && break;;
            esac
        done
    done
    echo held
    read line
    { echo pwned >/proc/self/fd/9; } 2>/dev/null && echo written, done || echo refused, done
    cat
";

/// A copy of a program that belongs to the bench's user.
fn copy(bench: &Bench, program: &Path) -> anyhow::Result<PathBuf> {
    let victim = bench.folder.join("victim");
    fs::copy(program, &victim).with_context(|| format!("copy {}", program.display()))?;
    if geteuid().is_root() {
        chown(&victim, Some(bench.user.uid()), Some(bench.user.uid()))?;
    }
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o755))?;
    Ok(victim)
}

/// Somebody outside lets `victim` execute a file of the container that is /proc/self/exe: a link
/// to the victim's own program, which then runs inside as any other command, for a second.
/// Whether the attacker could write to it afterwards.
fn attack(bench: &Bench, victim: &Path, before: &[&str]) -> anyhow::Result<bool> {
    let mut running = container_that(bench, "box", &["-q", "--rootfs", "/"], ATTACK)?;
    let inside =
        [&["/proc/self/exe"], before, &["--target", "1", "--all", "--", "sleep", "1"]].concat();
    let words = [before, &["-q", "box", "--"], &inside].concat();
    let run = bench.run(victim, words).env("XDG_RUNTIME_DIR", bench.temporary());
    let ended = run.finish()?;
    ensure!(
        ended.status() == 0,
        "the victim ended with {}; it said {}",
        ended.status(),
        ended.errors
    );
    running.until("held\n")?;
    running.say("now\n")?;
    running.until(", done\n")?;
    let written = running.output().contains("written");
    running.release()?.must_end_with(0)?;
    Ok(written)
}

/// Stops the parent of an exec while its INIT waits for it; `None` if it was too late for that.
fn stopped_at_the_gate(parent: Pid) -> anyhow::Result<Option<Pid>> {
    loop {
        let children = children_of(parent).unwrap_or_default();
        let Some(init) = children.into_iter().find(|pid| process::name(*pid) == "nsenter:INIT")
        else {
            if !process::has_ended(parent) {
                continue;
            }
            return Ok(None);
        };
        kill(parent, Signal::SIGSTOP)?;
        sleep(patience(Duration::from_millis(20))); // enough to become the command, if the gate was open
        return Ok((process::name(init) == "nsenter:INIT").then_some(init));
    }
}
