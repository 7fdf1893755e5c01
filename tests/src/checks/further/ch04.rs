//! Further, chapter 4: a folder of the host's inside, and a root that nobody writes to.

use std::fs;

use anyhow::{Context, ensure};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::{Check, holds};
use crate::{Outcome, User, checks::ch04::new_rootfs, told};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        4,
        "--volume shows a folder of the host's inside",
        "a bind mount shows one folder in two places: make it below the new root. Path::join with \
         an absolute path drops the root, so strip the `/` first",
        |bench| {
            let root = new_rootfs(bench, "root")?;
            let data = bench.folder("data")?;
            bench.file("data/question", "here?\n", 0o644)?;
            let inside = bench.run("mkdir", ["-p".as_ref(), root.join("var/data").as_os_str()]);
            inside.finish()?.must_end_with(0)?;
            let script = "cat /var/data/question && echo yes > /var/data/answer";
            let words =
                ["--rootfs", "root", "--volume", "data:/var/data", "--", "sh", "-c", script];
            bench.stage(words).finish()?.must_end_with(0)?.must_write("here?\n")?;
            let answer = fs::read_to_string(data.join("answer")).unwrap_or_default();
            ensure!(
                answer == "yes\n",
                "what was written inside is {answer} outside",
                answer = told(&answer)
            );
            holds()
        },
    ),
    Check::new(
        4,
        "--volume works although the host's paths end at pivot_root",
        "after pivot_root(2) no path leads to the host: bind the volume before, while both folders \
         have a path",
        |bench| {
            new_rootfs(bench, "root")?;
            bench.folder("data")?;
            let words = ["--rootfs", "root", "--volume", "data:/mnt", "true"];
            bench.stage(words).finish()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        4,
        "--volume without its folder gets a clear error",
        "if the volume's folder does not exist, return an error: otherwise the command writes into \
         the root file system, and its data is not where you expect it",
        |bench| {
            new_rootfs(bench, "root")?;
            let words =
                ["--rootfs", "root", "--volume", "no-such-folder:/mnt", "--", "echo", "ran"];
            // A stage may look for it when it reads its options: bad usage.
            let ended = bench.stage(words).finish()?;
            let status = ended.status();
            ensure!([2, 125].contains(&status), "its exit status is {status}, not 125 (or 2)");
            ended.must_complain(&["no-such-folder"])?.must_write("")?;
            holds()
        },
    ),
    Check::new(
        4,
        "--volume without --rootfs is bad usage",
        "an option that changes nothing is an error of the one who writes it: in clap, say what it \
         `requires`",
        |bench| {
            bench.folder("data")?;
            let ended = bench.stage(["--volume", "data:/mnt", "--", "echo", "ran"]).finish()?;
            ended.must_end_with(2)?.must_write("")?;
            holds()
        },
    ),
    Check::new(
        4,
        "--read-only without --rootfs is bad usage",
        "an option that changes nothing is an error of the one who writes it: in clap, say what it \
         `requires`",
        |bench| {
            let ended = bench.stage(["--read-only", "--", "echo", "ran"]).finish()?;
            ended.must_end_with(2)?.must_write("")?;
            holds()
        },
    ),
    Check::new(
        4,
        "--read-only: nothing in the root can be written",
        "mount(2) ignores all flags but MS_REC when it makes a bind mount: set MS_RDONLY with a \
         second mount(2), MS_REMOUNT|MS_BIND",
        |bench| {
            let root = new_rootfs(bench, "root")?;
            let script = "touch /file 2>&1; touch /etc/file 2>&1; exit 0";
            let ended = bench
                .stage(["--rootfs", "root", "--read-only", "--", "sh", "-c", script])
                .finish()?
                .must_end_with(0)?;
            let refused = ended
                .text()
                .lines()
                .filter(|line| line.contains("Read-only file system"))
                .count();
            ensure!(
                refused == 2,
                "of two files, {refused} are refused as on a read-only file system: {}",
                told(&ended.text())
            );
            ensure!(
                !root.join("file").exists() && !root.join("etc/file").exists(),
                "a file from inside is outside"
            );
            holds()
        },
    ),
    Check::new(
        4,
        "--read-only: what the host has set is kept",
        "in a user namespace, name nosuid, nodev and noexec again if they are set: they are locked",
        |bench| {
            if !bench.user.is_another() {
                let reason = "only root can mount a file system with locked flags for a test";
                return Ok(Outcome::Skipped(reason.into()));
            }
            let place = bench.folder("locked")?;
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
            mount(Some("none"), &place, Some("tmpfs"), flags, Some("mode=777"))?;
            let outcome = new_rootfs(bench, "locked/root").and_then(|_| {
                bench.stage(["--rootfs", "locked/root", "--read-only", "true"]).finish()
            });
            umount2(&place, MntFlags::MNT_DETACH)?;
            outcome?.must_end_with(0).context("where the host has set nosuid and nodev")?;
            holds()
        },
    )
    .only_as(User::Ordinary),
    Check::new(
        4,
        "--read-only: /tmp can be written, and is forgotten",
        "programs need a place for temporary files: mount a tmpfs on /tmp before you make the root \
         read-only",
        |bench| {
            let root = new_rootfs(bench, "root")?;
            fs::write(root.join("tmp/before"), "")?;
            let script = "ls -A /tmp; stat -f -c %T /tmp; echo kept > /tmp/file && cat /tmp/file";
            let ended = bench
                .stage(["--rootfs", "root", "--read-only", "--", "sh", "-c", script])
                .finish()?;
            ended.must_end_with(0)?.must_write("tmpfs\nkept\n")?;
            ensure!(
                !root.join("tmp/file").exists(),
                "what was written to /tmp inside is in the folder outside"
            );
            holds()
        },
    ),
];
