//! Chapter 12: the runtime's own file does not go in.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, SealFlag, fcntl},
    sys::memfd::{MFdFlags, memfd_create},
    unistd::geteuid,
};

use crate::{
    Bench, User,
    bench::Run,
    checks::{Check, holds},
    named::{container, container_that, exec},
    seccomp::know_no_seal_exec,
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        12,
        "the program cannot be overwritten from inside",
        "/proc/PID/exe leads to the program's file: let only a copy in memory go inside, with all \
         four seals (CVE-2019-5736)",
        |bench| {
            let victim = copy(bench, &bench.binary)?;
            let before = fs::read(&victim)?;
            let written = attack(bench, &victim)?;
            ensure!(fs::read(&victim)? == before, "{} was overwritten", victim.display());
            ensure!(!written, "what was executed could be written to");
            holds()
        },
    )
    .privileged()
    .not_in_the_workshop(),
    Check::new(
        12,
        "without the seal it can be overwritten",
        "this is the attack that the sealed copy prevents: if it failed on the stage below, the \
         other check would prove nothing",
        |bench| {
            let victim = copy(bench, &bench.other("11-nsenter"))?;
            let written = attack(bench, &victim)?;
            ensure!(written, "the attack failed although nothing was sealed");
            ensure!(fs::read(&victim)? == b"pwned\n", "{} was not overwritten", victim.display());
            holds()
        },
    )
    .privileged()
    .not_in_the_workshop(),
    Check::new(
        12,
        "what exec executes has all four seals",
        "each seal forbids one kind of change: WRITE of the bytes, GROW and SHRINK of the length, \
         SEAL of the list of seals",
        |bench| {
            // F_SEAL_EXEC brings three of the four along; before Linux 6.3 there is no such seal.
            let sealed = |run: Run| {
                let (found, mode) = seals_and_mode(run)?;
                for (seal, name) in [
                    (SealFlag::F_SEAL_WRITE, "F_SEAL_WRITE"),
                    (SealFlag::F_SEAL_GROW, "F_SEAL_GROW"),
                    (SealFlag::F_SEAL_SHRINK, "F_SEAL_SHRINK"),
                    (SealFlag::F_SEAL_SEAL, "F_SEAL_SEAL"),
                ] {
                    ensure!(
                        found.contains(seal),
                        "the program that goes in has not {name}, only {found}",
                        found = told(&found)
                    );
                }
                ensure!(mode & 0o7777 == 0o511, "the copy's mode is {mode:o}");
                Ok(found)
            };
            let running = container(bench, "box", &["--rootfs", "/"])?;
            let run = || exec(bench, &["-i", "box"], "echo ready; cat");
            let found = sealed(run())?;
            sealed(run().with(know_no_seal_exec()?))
                .context("where the kernel knows no F_SEAL_EXEC, as before Linux 6.3")?;
            running.release()?.must_end_with(0)?;
            ensure!(
                found.contains(SEAL_EXEC) || !kernel_seals_the_mode()?,
                "the copy's mode can be changed from inside"
            );
            holds()
        },
    ),
    Check::new(
        12,
        "a PID 1 that stays is a sealed copy too",
        "processes inside can open the file that PID 1 executes: through /proc/1/exe they could \
         also change the mode and owner of a file on a disk",
        |bench| {
            let program = copy(bench, &bench.binary)?;
            let before = (fs::read(&program)?, fs::metadata(&program)?.mode());
            let script = "chmod 0 /proc/1/exe; exec 9</proc/1/exe; stat -L -c %a /proc/1/exe
                          { echo pwned >/proc/self/fd/9; } 2>/dev/null && echo written; true";
            // Before Linux 6.3 the mode of the copy can be changed; it is a copy all the same.
            let mode = if kernel_seals_the_mode()? {
                "511\n"
            } else {
                "0\n"
            };
            for rootfs in [&[][..], &["--rootfs", "/"]] {
                let options = [&["run", "-q", "--init"][..], owner_of_the_file(bench)].concat();
                let words = [&options[..], rootfs, &["--", "sh", "-c", script]].concat();
                bench.run(&program, words).finish()?.must_end_with(0)?.must_write(mode)?;
                ensure!(
                    (fs::read(&program)?, fs::metadata(&program)?.mode()) == before,
                    "the program is not as it was"
                );
            }
            holds()
        },
    )
    .privileged(),
];

/// What this `exec` executes while it says `ready` and waits for the end of its input.
fn seals_and_mode(run: Run) -> anyhow::Result<(SealFlag, u32)> {
    let mut inside = run.start_waiting()?;
    inside.until("ready\n")?;
    let program =
        File::open(format!("/proc/{}/exe", inside.pid())).context("open the program of exec")?;
    let found =
        fcntl(&program, FcntlArg::F_GET_SEALS).context("F_GET_SEALS: it is no file in memory")?;
    let mode = program.metadata()?.mode();
    inside.release()?.must_end_with(0)?;
    Ok((SealFlag::from_bits_retain(found), mode))
}

/// The seal on the permission to execute (Linux 6.3).
const SEAL_EXEC: SealFlag = SealFlag::from_bits_retain(libc::F_SEAL_EXEC);

/// Whether this kernel has it.
fn kernel_seals_the_mode() -> anyhow::Result<bool> {
    let file = memfd_create(c"judge", MFdFlags::MFD_ALLOW_SEALING).context("memfd_create")?;
    match fcntl(&file, FcntlArg::F_ADD_SEALS(SEAL_EXEC)) {
        Err(Errno::EINVAL) => Ok(false),
        other => other.map(|_| true).context("F_ADD_SEALS"),
    }
}

/// Takes hold of the first program that is not of the container, as soon as it can be opened.
const ATTACK: &str = "
    echo up
    while [ -z \"$held\" ]; do
        for process in /proc/[0-9]*; do
            case $(readlink $process/exe) in
                *victim*) { exec 9<$process/exe; } 2>/dev/null && held=$process && break;;
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
    fs::set_permissions(&victim, Permissions::from_mode(0o755))?;
    Ok(victim)
}

/// With these options root inside owns the file of this user's program.
fn owner_of_the_file(bench: &Bench) -> &'static [&'static str] {
    match bench.user {
        User::Root => &["--uid-map", "0:0:65536", "--gid-map", "0:0:65536"],
        User::Ordinary => &[],
    }
}

/// A process outside lets `victim` execute a file of the container that is /proc/self/exe: a link
/// to the victim's own program, which then runs inside as any other command, for a second.
/// Whether the attacker could write to it afterwards.
fn attack(bench: &Bench, victim: &Path) -> anyhow::Result<bool> {
    let options = [owner_of_the_file(bench), &["-q", "--rootfs", "/"]].concat();
    let mut running = container_that(bench, "box", &options, ATTACK)?;
    let itself = ["/proc/self/exe", "exec", "--target", "1", "--all", "--", "sleep", "1"];
    let words = [&["exec", "-q", "box", "--"], &itself[..]].concat();
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
