//! Chapter 5: root inside, yourself outside.

use std::{fs, os::unix::fs::MetadataExt};

use anyhow::ensure;

use super::own_lines;
use crate::{
    User,
    checks::{Check, holds},
    slow, told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        5,
        "root inside is you outside",
        "root inside must be your own uid outside: write \"0 UID 1\" to uid_map from outside, \
         while the child waits",
        |bench| {
            let (uid, gid) = (bench.user.uid(), bench.user.gid());
            let mut running = bench
                .script(&format!(
                    "id -u; id -g; touch {}/made; echo ready; read wait || exit 0",
                    bench.folder.display()
                ))
                .start_waiting()?;
            running.until("ready")?;
            ensure!(
                running.output() == "0\n0\nready\n",
                "inside, id says {}",
                told(&running.output())
            );
            let child = running.command()?;
            // From 8 on root maps every id there is, as itself; from 12 on, ids that nobody has.
            let (shift, size) = match bench.stage {
                8..=11 if bench.user == User::Root => (0, "4294967295"),
                12.. if bench.user == User::Root => (1_879_048_192, "65536"),
                _ => (0, "1"),
            };
            for (file, id) in [("uid_map", uid + shift), ("gid_map", gid + shift)] {
                let map = fs::read_to_string(format!("/proc/{child}/{file}"))?;
                let fields: Vec<&str> = map.split_whitespace().collect();
                ensure!(
                    fields == ["0", &id.to_string(), size],
                    "{file} is {map}",
                    map = told(&map)
                );
            }
            let made = fs::metadata(bench.folder.join("made"))?;
            let owners = (made.uid(), made.gid());
            ensure!(
                owners == (uid, gid),
                "outside, the file that root made inside is of {owners}, not of {}",
                told(&(uid, gid)),
                owners = told(&owners)
            );
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        5,
        "an ordinary user may not drop groups",
        "write \"deny\" to setgroups before gid_map, unless you are root: else the kernel refuses \
         an ordinary user's gid_map (user_namespaces(7))",
        |bench| {
            let expected = if bench.user == User::Root {
                "allow\n"
            } else {
                "deny\n"
            };
            bench
                .script("cat /proc/self/setgroups")
                .finish()?
                .must_end_with(0)?
                .must_write(expected)?;
            holds()
        },
    ),
    Check::new(
        5,
        "a slow parent changes nothing",
        "the parent writes the maps, and may be slow: the child waits at the gate for a byte, and \
         the parent sends it after the last map",
        |bench| {
            let Some(running) = slow::start(bench.script("id -u; id -g"))? else {
                return Ok(slow::skipped());
            };
            slow::hold_back(running.pid(), bench.bound)?;
            running.finish()?.must_end_with(0)?.must_write("0\n0\n")?;
            holds()
        },
    ),
    Check::new(
        5,
        "--no-map shows nobody",
        "without a map, ids are shown as 65534 and execve(2) takes all capabilities, because no \
         uid inside is 0",
        |bench| {
            let script = "id -u; grep CapEff /proc/self/status; cat /proc/self/uid_map";
            let ended =
                bench.stage(["--no-map", "--", "sh", "-c", script]).finish()?.must_end_with(0)?;
            ended.must_write("65534\nCapEff:\t0000000000000000\n")?;
            holds()
        },
    )
    .until(6, "execve takes the capabilities of a process whose uid inside is not 0"),
    Check::new(
        5,
        "--user runs the command as another id",
        "set the ids after the maps are written: before that, setresuid(2) fails with EINVAL for \
         every id",
        |bench| {
            let script = "id -u; id -g; grep CapEff /proc/self/status";
            let nobody_special = "1\n1\nCapEff:\t0000000000000000\n";
            if bench.user == User::Root {
                let maps = ["--uid-map", "0:0:2", "--gid-map", "0:0:2"];
                let options = [&maps[..], &["--user", "1:1", "--", "sh", "-c", script]].concat();
                bench.stage(options).finish()?.must_end_with(0)?.must_write(nobody_special)?;
            } else if bench.stage == 5 {
                let (uid_map, gid_map) = own_lines(bench, 1);
                let maps = ["--uid-map", &uid_map, "--gid-map", &gid_map];
                let options = [&maps[..], &["--user", "1:1", "--", "sh", "-c", script]].concat();
                bench.stage(options).finish()?.must_end_with(0)?.must_write(nobody_special)?;
            }
            let (uid_map, gid_map) = own_lines(bench, 0);
            let maps = ["--uid-map", &uid_map, "--gid-map", &gid_map];
            let one_id = [&maps[..], &["--user", "1:1", "--", "echo", "ran"]].concat();
            let ended = bench.stage(one_id).finish()?.must_end_with(2)?;
            ended.must_complain(&["--user 1:1", "do not contain"])?.must_write("")?;
            holds()
        },
    ),
];
