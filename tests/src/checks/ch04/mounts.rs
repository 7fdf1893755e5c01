//! Chapter 4: what is mounted inside, and where it reaches.

use std::fs;

use anyhow::{Context, ensure};
use nix::unistd::geteuid;

use super::new_rootfs;
use crate::{
    checks::{Check, Outcome, holds},
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        4,
        "/proc shows the command's own processes only",
        "mount a new proc in the child, after clone(2): it shows the PID namespace of the process \
         that mounts it",
        |bench| {
            let ended = bench
                .script("echo /proc/[0-9]*; readlink /proc/self")
                .finish()?
                .must_end_with(0)?;
            let text = ended.text();
            let lines: Vec<&str> = text.lines().collect();
            let found: Vec<&str> = lines[0].split(' ').collect();
            ensure!(found == ["/proc/1"], "expected /proc/1 alone, and found {}", told(&found));
            ensure!(
                lines[1].parse::<u32>().is_ok_and(|pid| pid < 10),
                "/proc/self is {}",
                lines[1]
            );
            new_rootfs(bench, "root")?;
            let ended = bench
                .stage(["--rootfs", "root", "--", "sh", "-c", "echo /proc/[0-9]*"])
                .finish()?
                .must_end_with(0)?;
            let text = ended.text();
            let found: Vec<&str> = text.trim_end().split(' ').collect();
            ensure!(
                found == ["/proc/1"],
                "with --rootfs, expected /proc/1 alone, and found {}",
                told(&found)
            );
            holds()
        },
    ),
    Check::new(
        4,
        "no program and no device in the new /proc is of use",
        "a new proc has only the flags that you name: MS_NOSUID, MS_NODEV, MS_NOEXEC",
        |bench| {
            let text = bench.script("cat /proc/self/mountinfo").finish()?.must_end_with(0)?.text();
            let fields = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
            let of_proc = |fields: &Vec<String>| fields.get(4).is_some_and(|at| at == "/proc");
            // The last one is on top.
            let proc = text.lines().map(fields).rfind(of_proc).context("no /proc")?;
            let flags: Vec<&str> = proc[5].split(',').collect();
            let all = ["nosuid", "nodev", "noexec"].iter().all(|flag| flags.contains(flag));
            ensure!(all && flags[0] == "rw", "the flags of the mount on /proc are {}", proc[5]);
            holds()
        },
    ),
    Check::new(
        4,
        "no mount inside is tied to one outside",
        "a new mount namespace is a copy, and its mounts are still tied to the originals (shared:N \
         or master:N in mountinfo): MS_PRIVATE cuts the tie in both directions, MS_REC does it for \
         all mounts",
        |bench| {
            let outside = fs::read_to_string("/proc/self/mountinfo")?;
            let ended = bench.script("cat /proc/self/mountinfo").finish()?.must_end_with(0)?;
            for line in ended.text().lines() {
                // The optional fields stand between the sixth field and a lone "-".
                let ties: Vec<&str> =
                    line.split(' ').skip(6).take_while(|field| *field != "-").collect();
                ensure!(
                    ties.is_empty(),
                    "inside, the mount on {} has {}",
                    line.split(' ').nth(4).unwrap_or("?"),
                    ties.join(" ")
                );
            }
            if !outside.contains(" shared:") {
                return Ok(Outcome::Skipped(
                    "no mount outside is shared: there is no tie to cut".into(),
                ));
            }
            holds()
        },
    ),
    Check::new(
        4,
        "a mount made inside does not reach the host",
        "a new mount namespace is a copy, and its mounts are still tied to the originals: make \
         them private first, with MS_REC|MS_PRIVATE on /",
        |bench| {
            let before = fs::read_to_string("/proc/self/mountinfo")?;
            let place = bench.folder("place")?;
            let here = format!(" {} ", place.display());
            let script = format!(
                "mount -t tmpfs none {0} && touch {0}/seen && ls {0}; read wait || exit 0",
                place.display()
            );
            let mut running = bench.script(&script).start_waiting()?;
            running.until("seen")?;
            let now = fs::read_to_string("/proc/self/mountinfo")?;
            // Where the judge has no mount namespace of its own, others may mount meanwhile.
            let is_same = now == before || !geteuid().is_root() && !now.contains(&here);
            ensure!(is_same, "the host's mounts have changed");
            ensure!(
                fs::read_dir(&place)?.next().is_none(),
                "the host sees what was mounted inside"
            );
            running.release()?.must_end_with(0)?;
            let tag = if before.contains(" shared:") {
                Ok(Outcome::Holds)
            } else {
                Err(())
            };
            tag.or_else(|()| {
                Ok(Outcome::Skipped("the judge's own mounts are not shared: it is not root".into()))
            })
        },
    )
    .privileged(),
];
