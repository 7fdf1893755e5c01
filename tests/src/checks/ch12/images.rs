//! Chapter 12: an image that an attacker has made.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use nix::{
    sys::stat::{Mode, SFlag, makedev, mknod},
    unistd::{geteuid, mkfifo},
};

use crate::{
    Bench, Outcome, User,
    breach::{attack, gains, image, maps, state},
    checks::{Check, holds},
    layered::{script, with_inside},
    terminal::Terminal,
    told::{must_list, told},
};

/// The folders on which the stage mounts something, or changes something.
pub(super) const FOLDERS: [&str; 4] = ["proc", "sys", "dev", "tmp"];

/// What a file outside says that nobody inside may read.
const SECRET: &str = "secret of the host";

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        12,
        "a link, a file or a fifo in place of a folder is refused, or does no harm",
        "the image's author chooses what /proc, /sys, /dev and /tmp are: look each up in the open \
         root, follow no link, and open nothing (openat2(2), O_PATH; CVE-2019-19921)",
        |bench| {
            let host = host(bench)?;
            let before = state(&host)?;
            let image = image(bench, "image")?;
            let up = "../".repeat(30) + &host.display().to_string();
            fs::create_dir(image.join("inner"))?;
            for name in FOLDERS {
                for what in [
                    "a link to a folder",
                    "a link that goes up",
                    "a link to a folder of the image",
                    "a file",
                    "a fifo",
                ] {
                    let place = image.join(name);
                    let _ = fs::remove_dir(&place);
                    match what {
                        "a link to a folder" => symlink(&host, &place)?,
                        "a link that goes up" => symlink(&up, &place)?,
                        "a link to a folder of the image" => symlink("inner", &place)?,
                        "a file" => fs::write(&place, "")?,
                        _ => mkfifo(&place, Mode::from_bits_truncate(0o666))?,
                    }
                    for option in ["--layer", "--rootfs"] {
                        let case = || format!("{option}, /{name} is {what}");
                        let refused = is_harmless(bench, option, &image)
                            .and_then(|refused| unchanged(&host, &before).map(|()| refused))
                            .with_context(case)?;
                        // With --rootfs, /tmp is the image's own.
                        let is_used = name != "tmp" || option == "--layer";
                        let is_followed = is_used && what.starts_with("a link") && !refused;
                        ensure!(!is_followed, "{}: it is followed, and not refused", case());
                    }
                    fs::remove_file(&place)?;
                    fs::create_dir(&place)?;
                }
            }
            // A container leaves a link in its layer, for the next one.
            let keep = ["-q", "--container-layer", "mine"];
            let leave = format!("rm -rf /tmp && ln -s {} /tmp", host.display());
            script(bench, &keep, &leave).finish()?.must_end_with(0)?;
            let refused = script(bench, &keep, "cat /tmp/secret").finish()?.must_end_with(125)?;
            refused.must_complain(&["/tmp"])?.must_write("")?;
            unchanged(&host, &before)?;
            holds()
        },
    ),
    Check::new(
        12,
        "an image's /dev/null hides nothing and opens nothing",
        "a runtime that masks with the image's /dev/null mounts what a link there leads to \
         (CVE-2025-31133); one that trusts the image's /proc writes to files that only look like \
         proc's (CVE-2019-16884): cover both, and mask with a device that you have looked at",
        |bench| {
            let host = host(bench)?;
            let before = state(&host)?;
            let image = with_traps(bench, &host)?;
            let traps = state(&image.join("proc"))?;
            let path = image.display().to_string();
            for option in ["--layer", "--rootfs"] {
                for map in maps(bench.user) {
                    let words = [&[option, &path][..], map].concat();
                    script(bench, &words, TRAPPED)
                        .finish()?
                        .must_end_with(0)?
                        .must_write("proc\ncharacter special file 1 3\n")
                        .with_context(|| format!("with {option}"))?;
                    let found = gains(script(bench, &words, &attack()).finish()?)?;
                    ensure!(found.is_empty(), "with {option}: {}", told(&found));
                    unchanged(&host, &before)?;
                }
            }
            ensure!(state(&image.join("proc"))? == traps, "the image's /proc has changed");
            holds()
        },
    )
    .privileged(),
    Check::new(
        12,
        "a link at the container's terminal is not followed",
        "/dev/console is a file of the container's: make it in a /dev of your own, and never mount \
         on the image's (CVE-2025-52565)",
        |bench| {
            let host = host(bench)?;
            let before = state(&host)?;
            let image = with_traps(bench, &host)?;
            for option in ["--layer", "--rootfs"] {
                let image = image.display().to_string();
                let words = ["run", "-q", "-ti", option, &image, "--", "sh", "-c"];
                let action = "cat /dev/console </dev/null & sleep 0.02; kill $! 2>/dev/null
                              echo words >/dev/tty; exit 6";
                let words = [&words[..], &[action]].concat();
                let mut terminal = Terminal::of(bench.run(&bench.binary, words))?;
                let shown = terminal.until("words")?;
                ensure!(!shown.contains(SECRET), "it has read a file of the host's");
                let status = terminal.end()?;
                ensure!(status == 6, "with {option} its exit status is {status}");
                unchanged(&host, &before)?;
            }
            holds()
        },
    ),
    Check::new(
        12,
        "no device and no set-user-ID file of an image gives anything, with --rootfs neither",
        "an image can bring a device that is the machine's disk: mount every root with nodev and \
         nosuid",
        |bench| {
            if !geteuid().is_root() {
                return Ok(Outcome::Skipped("only root can make a device for a test".into()));
            }
            let image = image(bench, "image")?;
            let all = Mode::from_bits_truncate(0o666);
            mknod(&image.join("null"), SFlag::S_IFCHR, all, makedev(1, 3)).context("mknod")?;
            fs::copy(image.join("bin/id"), image.join("id"))?;
            fs::set_permissions(image.join("id"), fs::Permissions::from_mode(0o4755))?;
            let action = "[ -c /null ] && ! { echo x > /null; } 2>/dev/null && echo refused
                          setpriv --reuid 7 --clear-groups /id -u";
            let path = image.display().to_string();
            for option in ["--layer", "--rootfs"] {
                for map in maps(bench.user) {
                    let words = [&[option, &path][..], map].concat();
                    let ended = script(bench, &words, action).finish()?.must_end_with(0)?;
                    ended.must_write("refused\n7\n").with_context(|| format!("with {option}"))?;
                }
            }
            holds()
        },
    )
    .only_as(User::Root),
];

/// What the container says of its own /proc and /dev/null, in an image with traps.
const TRAPPED: &str = "stat -f -c %T /proc; stat -L -c '%F %t %T' /dev/null
                       cat /proc/keys /proc/timer_list /proc/interrupts /dev/secret 2>/dev/null
                       exit 0";

/// A folder of the host's with a file.
pub(super) fn host(bench: &Bench) -> anyhow::Result<PathBuf> {
    let host = bench.folder("host")?;
    for name in ["null", "console", "tty", "secret"] {
        fs::write(host.join(name), format!("{SECRET}\n"))?;
    }
    fs::set_permissions(&host, fs::Permissions::from_mode(0o755))?;
    Ok(host)
}

/// An image whose /dev is full of links to the host's files, and whose /proc is full of files.
fn with_traps(bench: &Bench, host: &Path) -> anyhow::Result<PathBuf> {
    let image = image(bench, "with-traps")?;
    let inside = with_inside(bench)?;
    fs::copy(inside.join("inside"), image.join("inside"))?;
    for name in ["null", "console", "tty", "secret"] {
        symlink(host.join(name), image.join("dev").join(name))?;
    }
    for name in ["pts", "shm"] {
        symlink(host, image.join("dev").join(name))?;
    }
    for name in ["self/attr", "self/fd", "1", "sys/kernel", "sys/net/ipv4"] {
        fs::create_dir_all(image.join("proc").join(name))?;
    }
    let files = [
        "self/attr/exec",
        "self/setgroups",
        "self/uid_map",
        "self/oom_score_adj",
        "sysrq-trigger",
        "sys/kernel/hostname",
        "sys/kernel/core_pattern",
        "keys",
        "timer_list",
    ];
    for file in files {
        fs::write(image.join("proc").join(file), format!("{SECRET}\n"))?;
    }
    Ok(image)
}

/// A run with this image is refused in one line, or runs, has a proc in its root, and reads
/// nothing of the host's through any of the folders. Whether it was refused.
pub(super) fn is_harmless(bench: &Bench, option: &str, image: &Path) -> anyhow::Result<bool> {
    // Without /dev/null, which may not be there. A folder that was swapped later has the link's
    // name, and changes it from one look to the next.
    let action = "cat /proc/secret /sys/secret /dev/secret /tmp/secret 2>&-
                  for n in 1 2 3 4 5 6 7 8 9; do
                      stat -f -c %T /proc /proc-link 2>&- | grep proc && break
                  done; exit 0";
    // With root's own rights, where there are any: no other wall is in the way.
    let map = maps(bench.user).last().copied().unwrap_or_default();
    let path = image.display().to_string();
    let words = [&["-q", option, &path][..], map].concat();
    let ended = script(bench, &words, action).finish()?;
    if ended.status() == 125 {
        return ended.must_complain(&[])?.must_write("").map(|_| true);
    }
    let text = ended.must_end_with(0)?.text();
    ensure!(!text.contains(SECRET), "it has read a file of the host's: {}", told(&text));
    ensure!(
        text.lines().any(|kind| kind == "proc"),
        "no proc is in its root: {}",
        told(&text)
    );
    Ok(false)
}

pub(super) fn unchanged(host: &Path, before: &[String]) -> anyhow::Result<()> {
    must_list("a folder of the host's has now", &state(host)?, before)
}
