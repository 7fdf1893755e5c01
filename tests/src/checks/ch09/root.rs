//! Chapter 9: the root that a container gets.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use anyhow::{Context, ensure};

use crate::{
    Bench, User,
    checks::{Check, ch06::must_be_new, holds},
    delegation::delegated,
    granted::with_granted_ids,
    layered::{READ_ONLY, container, must_be_refused, script},
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        9,
        "the default image is a root of its own, in layers",
        "a union file system shows the layers as one folder: make that folder the root with \
         pivot_root",
        |bench| {
            let ended = script(
                bench,
                &[],
                "id -u; cat /image-layer*.txt; pwd; ls -d /work /home 2>/dev/null; exit 6",
            );
            ended.finish()?.must_end_with(6)?.must_write("0\n1\n2\n3\n4\n/\n")?;
            let mounts = script(bench, &[], "cat /proc/self/mountinfo")
                .finish()?
                .must_end_with(0)?
                .text();
            let points: Vec<&str> =
                mounts.lines().filter_map(|line| line.split(' ').nth(4)).collect();
            let expected = [
                "/",
                "/sys",
                "/dev",
                "/dev/null",
                "/dev/zero",
                "/dev/full",
                "/dev/random",
                "/dev/urandom",
                "/dev/tty",
            ];
            let knobs = ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"];
            let knobs = knobs.into_iter().filter(|path| Path::new(path).exists());
            let expected: Vec<&str> = expected
                .into_iter()
                .chain(["/dev/shm", "/dev/pts", "/proc"])
                .chain(knobs)
                .collect();
            let folders = ["/proc", "/sys", "/dev"];
            let others =
                points.iter().filter(|it| !folders.iter().any(|folder| it.starts_with(folder)));
            ensure!(
                points == expected || bench.stage >= 12 && others.eq(&["/"]),
                "these mounts are inside: {points}",
                points = told(&points)
            );
            let root = mounts.lines().next().unwrap_or_default();
            ensure!(
                root.contains(" - overlay ") || root.contains(" - aufs "),
                "the root is {root}"
            );
            // Without anything: a shell.
            let none: [&str; 0] = [];
            let ended = bench
                .run(&bench.binary, none)
                .input("cat /image-layer1.txt; exit 3\n")
                .finish()?
                .must_end_with(3)?;
            ensure!(ended.text() == "1\n", "the shell wrote {}", told(&ended.text()));
            holds()
        },
    ),
    Check::new(
        9,
        "programs find /proc, /sys, /dev and /tmp",
        "nobody can make a device in a user namespace, not even root: bind the host's harmless \
         devices",
        |bench| {
            let actions = "echo x > /dev/null && head -c 3 /dev/zero | wc -c \
                         && head -c 5 /dev/urandom | wc -c && ls /dev && echo y > /dev/shm/f \
                         && stat -c %a /tmp && cat < /dev/stdin && ls -d /proc/[0-9]* \
                         && ls /sys/class/net";
            let ended = script(bench, &[], actions).input("in\n").finish()?.must_end_with(0)?;
            let text = ended.text();
            let devices = "fd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\n\
                           tty\nurandom\nzero\n";
            let before = format!("3\n5\n{devices}1777\nin\n/proc/1\n");
            let rest = text
                .strip_prefix(&before)
                .with_context(|| format!("inside: {text}", text = told(&text)))?;
            let processes_and_interfaces: Vec<&str> = rest.lines().collect();
            let interfaces =
                processes_and_interfaces.into_iter().filter(|line| !line.starts_with("/proc"));
            must_be_new(bench, interfaces.map(str::to_owned).collect())?;
            for (action, why) in [
                ("cat /etc/passwd > /dev/full", "No space left on device"),
                ("mkdir /sys/fs/made", READ_ONLY),
                ("mknod /device b 8 0", "Operation not permitted"),
            ] {
                must_be_refused(&script(bench, &[], action).finish()?, why, action)?;
            }
            holds()
        },
    ),
    Check::new(
        9,
        "the machine's devices, knobs and program keep what they are",
        "root inside may be root outside: bind what belongs to the machine read-only",
        |bench| {
            let modes = || {
                ["/dev/null", "/dev/full", "/dev/tty"]
                    .map(|path| fs::metadata(path).map(|data| data.mode()).ok())
            };
            let before = modes();
            for (action, file) in [
                ("chmod 600 /dev/full", "/dev/full"),
                ("chown 1 /dev/null", "/dev/null"),
                ("echo 1 > /proc/sys/vm/swappiness", "/proc/sys/vm/swappiness"),
                ("echo > /proc/sysrq-trigger", "/proc/sysrq-trigger"),
            ] {
                if Path::new(file).exists() {
                    must_be_refused(&script(bench, &[], action).finish()?, READ_ONLY, action)?;
                }
            }
            ensure!(modes() == before, "the modes of the host's devices have changed");
            script(bench, &[], "echo x > /dev/null && cat /dev/null && echo fine")
                .finish()?
                .must_end_with(0)?
                .must_write("fine\n")?;
            holds()
        },
    ),
    Check::new(
        9,
        "a container in a container",
        "a user namespace that maps every id to itself is still not the first user namespace: the \
         kernel allows fewer mounts in it",
        |bench| {
            let again = bench.binary.display().to_string();
            let words = [
                "--rootfs",
                "/",
                "-e",
                &format!("HOME={}", bench.folder.display()),
                "--",
                &again,
                "run",
                "-q",
                "--",
            ];
            let words = [&words[..], &["cat", "/image-layer4.txt"]].concat();
            let ended = container(bench, words).finish()?;
            if ended.status() == 125 && !overlay_mounts_in_user_namespace(bench)? {
                let _ = ended.must_complain(&["only root mount overlay"])?;
                return holds();
            }
            ended.must_end_with(0)?.must_write("4\n")?;
            holds()
        },
    )
    .until(12, "a proc that hides something is no whole one, so the kernel mounts no other"),
    Check::new(
        9,
        "limits hold for what is written to memory",
        "a file in a tmpfs is memory, and counts for the cgroup of the process that wrote it",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                // The shell stays and says how dd ended.
                let action = "dd if=/dev/zero of=/dev/shm/f bs=1M count=100; echo ended $?";
                let ended = delegation.put(script(bench, &["-m", "50m"], action)).finish()?;
                ended.must_end_with(0)?.must_write("ended 137\n").map(drop)
            })
        },
    ),
    Check::new(
        9,
        "chown works for the ids that are mapped, and the log says when there is one",
        "an id that the map does not have cannot own a file (EINVAL): --uid-map auto maps the ids \
         of /etc/subuid",
        |bench| {
            let action = "touch /f && chown 5:7 /f && stat -c %u:%g /f";
            if bench.user == User::Root {
                script(bench, &[], action).finish()?.must_end_with(0)?.must_write("5:7\n")?;
                return holds();
            }
            let ended = script(bench, &["-v"], action).finish()?;
            ensure!(
                ended.messages().iter().any(|message| message.contains("--uid-map auto")),
                "the log says nothing of one id"
            );
            must_be_refused(&ended, "Invalid argument", "chown to an id that is not mapped")?;
            with_granted_ids(bench, || {
                let ended =
                    script(bench, &["--uid-map", "auto"], action).finish()?.must_end_with(0)?;
                ended.must_write("5:7\n")?;
                // Files of other ids, in a container layer on disk, can be kept and removed.
                let layer = ["--uid-map", "auto", "--container-layer", "mine"];
                script(bench, &layer, "mkdir -m 700 /d && touch /d/f && chown -R 5:7 /d")
                    .finish()?
                    .must_end_with(0)?;
                script(bench, &[&layer[..], &["--rm"]].concat(), "stat -c %u /d/f")
                    .finish()?
                    .must_end_with(0)?
                    .must_write("5\n")?;
                ensure!(!bench.folder.join("mine").exists(), "--rm left the layer");
                Ok(())
            })
        },
    ),
];

/// Whether the kernel mounts overlay for root of a user namespace: not before Linux 5.11.
fn overlay_mounts_in_user_namespace(bench: &Bench) -> anyhow::Result<bool> {
    let actions = "mount -t tmpfs none . && cd $PWD && mkdir low up work merged \
                 && mount -t overlay none -o lowerdir=low,upperdir=up,workdir=work merged";
    let folder = bench.folder("overlay")?;
    let ended = bench
        .run("sh", ["-c", actions])
        .within(&folder)
        .under(&["unshare", "-rm"])
        .finish()?;
    Ok(ended.status() == 0)
}
