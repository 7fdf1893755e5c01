//! Chapter 12: what is mounted inside, and stays so.

use std::path::Path;

use anyhow::{Context, ensure};

use crate::{
    User,
    breach::{attack, below, gains, maps, with_attacker},
    checks::{Check, holds},
    layered::script,
    named::exec,
    told,
};

/// Names each cover of a file that is no empty file, and each of a folder that can be written to.
const COVERS: &str = r#"
    for file in /proc/keys /proc/timer_list /proc/interrupts; do
        [ ! -e $file ] || [ "$(cat $file 2>&1 && echo read)" = read ] || echo "$file"
    done
    for folder in /proc/acpi /proc/asound /proc/scsi /sys/firmware; do
        [ ! -d $folder ] || ! { echo >$folder/new; } 2>/dev/null || echo "$folder"
    done"#;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        12,
        "what covers the machine's knobs and secrets can be neither removed nor seen around",
        "let a process of another user namespace mount, and give the container a copy: in a copy \
         every mount is locked. On the stage below, root inside remounts, unmounts, and mounts \
         proc anew (CVE-2025-52881 needs only one such knob)",
        |bench| {
            for map in maps(bench.user) {
                let found = gains(with_attacker(bench, map, &attack())?.finish()?)?;
                ensure!(found.is_empty(), "with the map {map:?}: {}", told(&found));
                let ended = script(bench, map, COVERS).finish()?.must_end_with(0)?;
                ended.must_write("").context("a cover cannot be read, or can be written to")?;
            }
            // What exec runs has its own way in.
            let running = with_attacker(bench, &["--name", "box"], "echo up; cat")?;
            let mut running = running.env("XDG_RUNTIME_DIR", bench.temporary()).start_waiting()?;
            running.until("up\n")?;
            let found = gains(exec(bench, &["box"], &attack()).finish()?)?;
            ensure!(found.is_empty(), "with exec: {}", told(&found));
            running.release()?.must_end_with(0)?;
            holds()
        },
    )
    .privileged(),
    Check::new(
        12,
        "where they are not locked, root inside removes them",
        "this is the attack that locked mounts prevent: if it failed on the stage below, the other \
         check would prove nothing",
        |bench| {
            let below = below(bench, 11, "11-nsenter")?;
            let found = gains(with_attacker(&below, &[], &attack())?.finish()?)?;
            let mut expected = vec![
                "gain /proc/sys unmounted",
                "gain /proc/sys without ro",
                "gain proc mounted anew",
                "gain /proc moved away",
            ];
            if bench.user == User::Root {
                expected.push("reached /proc/sys/kernel/core_pattern to write by mount -o remount");
            }
            for line in expected {
                ensure!(found.iter().any(|found| found == line), "no {line}: {}", told(&found));
            }
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        12,
        "every mount inside is nosuid and, but for devices of its own, nodev; none is a cgroup's",
        "an image can bring set-user-ID files and devices: a mount with nosuid and nodev makes \
         them files like any other",
        |bench| {
            let image = crate::breach::image(bench, "image")?.display().to_string();
            for options in [&[][..], &["--rootfs", &image], &["--rootfs", "/"]] {
                for map in maps(bench.user) {
                    let words = [options, map].concat();
                    let ended = script(bench, &words, "cat /proc/self/mountinfo").finish()?;
                    let text = ended.must_end_with(0)?.text();
                    ensure!(text.lines().count() > 4, "inside: {}", told(&text));
                    let mut uncovered = text.lines();
                    while let Some(line) = uncovered.next() {
                        let covers = |later: &str| Path::new(point(line)).starts_with(point(later));
                        if !uncovered.clone().any(covers) {
                            must_be_closed(line)?;
                        }
                    }
                }
            }
            holds()
        },
    ),
];

/// Where a line of mountinfo is mounted.
fn point(line: &str) -> &str {
    line.split(' ').nth(4).unwrap_or_default()
}

/// A line of mountinfo: `ID PARENT DEV ROOT POINT FLAGS … - TYPE SOURCE OPTIONS`.
fn must_be_closed(line: &str) -> anyhow::Result<()> {
    let (own, filesystem) = line.split_once(" - ").unwrap_or_default();
    let fields: Vec<&str> = own.split(' ').collect();
    let (root, point, flags) = (fields[3], fields[4], fields[5]);
    let has = |flag| flags.split(',').any(|other| other == flag);
    // A device is bound by itself, and /dev and its pts have nothing that root inside can make.
    let is_of_devices = point.starts_with("/dev") || root == "/null";
    ensure!(
        has("nosuid") && (has("nodev") || is_of_devices),
        "a mount inside: {}",
        told(line)
    );
    ensure!(!filesystem.starts_with("cgroup"), "a mount inside: {}", told(line));
    Ok(())
}
