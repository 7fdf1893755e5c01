//! Chapter 5: root inside, oneself outside.

use std::{fs, os::unix::fs::MetadataExt};

use anyhow::ensure;
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    unistd::geteuid,
};

use super::{Check, Outcome, holds};
use crate::{User, bench::Bench, slow};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        5,
        "root inside is oneself outside",
        "the map says whose files root's are: write \"0 UID 1\" to uid_map from outside, while the \
         child waits",
        |bench| {
            let (uid, gid) = (bench.user.uid(), bench.user.gid());
            let mut running = bench
                .script("id -u; id -g; touch made; echo ready; read wait || exit 0")
                .start_waiting()?;
            running.until("ready")?;
            ensure!(running.output() == "0\n0\nready\n", "inside, id says {:?}", running.output());
            let child = running.command()?;
            // From 8 on root maps every id there is, as itself.
            let size = if bench.user == User::Root && bench.stage >= 8 {
                "4294967295"
            } else {
                "1"
            };
            for (file, id) in [("uid_map", uid), ("gid_map", gid)] {
                let map = fs::read_to_string(format!("/proc/{child}/{file}"))?;
                let fields: Vec<&str> = map.split_whitespace().collect();
                ensure!(fields == ["0", &id.to_string(), size], "{file} is {map:?}");
            }
            let made = fs::metadata(bench.folder.join("made"))?;
            let owners = (made.uid(), made.gid());
            ensure!(
                owners == (uid, gid),
                "outside, the file that root made inside is of {owners:?}, not of {:?}",
                (uid, gid)
            );
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        5,
        "an ordinary user may not drop groups",
        "the kernel wants \"deny\" in setgroups before it takes an ordinary user's gid_map \
         (user_namespaces(7))",
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
        "only the parent can write the maps, and it may be slow: the child waits at the gate for a \
         byte, and the byte comes after the last map",
        |bench| {
            let running = match bench.script("id -u; id -g").with(slow::trace).start() {
                Err(error) if slow::is_refused(&error) => {
                    return Ok(Outcome::Skipped(slow::REFUSED.into()));
                }
                started => started?,
            };
            slow::hold_back(running.pid(), bench.bound)?;
            running.finish()?.must_end_with(0)?.must_write("0\n0\n")?;
            holds()
        },
    ),
    Check::new(
        5,
        "--no-map shows nobody",
        "an id that no map names is shown as 65534, and execve(2) gives such a process no \
         capability",
        |bench| {
            let script = "id -u; grep CapEff /proc/self/status; cat /proc/self/uid_map";
            let ended =
                bench.stage(["--no-map", "--", "sh", "-c", script]).finish()?.must_end_with(0)?;
            ended.must_write("65534\nCapEff:\t0000000000000000\n")?;
            holds()
        },
    )
    .until(6, "execve takes the capabilities of a process that is not id 0 inside"),
    Check::new(
        5,
        "a map that makes no sense is refused before anything is cloned",
        "check what you can before clone(2): the kernel's EINVAL does not say which line was wrong",
        |bench| {
            let wrong: [(&[&str], &str); 9] = [
                (&["--uid-map", ""], "three numbers"),
                (&["--uid-map", "0:1000"], "three numbers"),
                (&["--uid-map", "a:0:1"], "IN is \"a\""),
                (&["--uid-map", "0:-1:1"], "OUT is \"-1\""),
                (&["--gid-map", "0:0:0"], "SIZE is 0"),
                (&["--uid-map", "0:0:4294967296"], "SIZE is"),
                (&["--uid-map", "2:0:4294967295"], "more than"),
                (&["--uid-map", "0:1000:2", "--uid-map", "1:5000:1"], "overlap inside"),
                (&["--gid-map", "0:1000:2", "--gid-map", "2:1001:1"], "overlap outside"),
            ];
            for (options, reason) in wrong {
                let words = options.iter().copied().chain(["--", "echo", "ran"]);
                let ended = bench.stage(words).finish()?.must_end_with(2)?;
                let ended = ended.must_complain(&[reason])?;
                ensure!(
                    !ended.errors.contains("cloning"),
                    "{options:?}: something was cloned first"
                );
                ended.must_write("")?;
            }
            holds()
        },
    ),
    Check::new(
        5,
        "a map that the kernel refuses names the rule",
        "an id outside must be one that the writer's own user namespace maps, and one's own \
         without CAP_SETUID",
        |bench| {
            // Root of a user namespace that maps nothing but 0.
            let run = bench
                .stage(["--uid-map", "0:5:1", "--", "echo", "ran"])
                .under(&["unshare", "-r"]);
            run.finish()?
                .must_end_with(125)?
                .must_complain(&["uid_map \"0 5 1\"", "user_namespaces(7)"])?
                .must_write("")?;
            // Where /proc is another PID namespace's, /proc/PID is somebody else.
            let run = bench.stage(["--", "echo", "ran"]).under(&["unshare", "-r", "-p", "-f"]);
            run.finish()?
                .must_end_with(125)?
                .must_complain(&["/proc shows another PID namespace"])?
                .must_write("")?;
            holds()
        },
    ),
    Check::new(
        5,
        "--user runs the command as another id",
        "set the ids after the map is written: before, every id is EINVAL",
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
    Check::new(
        5,
        "a map of several lines is written in one piece",
        "the kernel takes the whole map in one write(2), a line for each range, and a map can be \
         written once only",
        |bench| {
            let options = [
                "--uid-map",
                "0:0:1",
                "--uid-map",
                "5:7:2",
                "--gid-map",
                "0:0:1",
                "--gid-map",
                "9:3:4",
            ];
            let script = "echo $(cat /proc/self/uid_map); echo $(cat /proc/self/gid_map)";
            let ended = bench
                .stage(options.into_iter().chain(["--", "sh", "-c", script]))
                .finish()?
                .must_end_with(0)?;
            ended.must_write("0 0 1 5 7 2\n0 0 1 9 3 4\n")?;
            holds()
        },
    )
    // For anybody else newuidmap writes it: the next check.
    .only_as(User::Root),
    Check::new(
        5,
        "a map with more ids goes through newuidmap",
        "newuidmap(1) is root's, and writes for an ordinary user what /etc/subuid grants",
        |bench| {
            let uid = bench.user.uid();
            let (uid_map, gid_map) = own_lines(bench, 0);
            let maps = ["--uid-map", &uid_map, "--uid-map", "1:100000:9"];
            let maps = [&maps[..], &["--gid-map", &gid_map, "--gid-map", "1:100000:9"]].concat();
            let options = [&maps[..], &["--", "sh", "-c"]].concat();
            let with = |script| options.iter().copied().chain([script]);
            if bench.user == User::Root {
                let ended =
                    bench.stage(with("cat /proc/self/uid_map")).finish()?.must_end_with(0)?;
                let fields: Vec<&str> = ended.text().leak().split_whitespace().collect();
                ensure!(fields == ["0", "0", "1", "1", "100000", "9"], "uid_map is {fields:?}");
                return holds();
            }
            if !std::path::Path::new("/usr/bin/newuidmap").exists() {
                bench
                    .stage(with("echo ran"))
                    .finish()?
                    .must_end_with(125)?
                    .must_complain(&["newuidmap", "uidmap"])?;
            }
            let nothing_granted = with_ids_in_files(bench, "", || {
                bench
                    .stage(with("echo ran"))
                    .finish()?
                    .must_end_with(125)?
                    .must_complain(&["newgidmap", "/etc/subgid"])?;
                Ok(())
            })?;
            if nothing_granted != Outcome::Holds {
                return Ok(nothing_granted);
            }
            with_granted_ids(bench, || {
                let found = map_outside(bench, &["--uid-map", "auto"])?;
                ensure!(
                    found == ["0", &uid.to_string(), "1", "1", "100000", "65536"],
                    "with auto, uid_map is {found:?}"
                );
                bench
                    .stage(["--uid-map", "auto", "--uid-map", "0:0:1", "--", "true"])
                    .finish()?
                    .must_end_with(2)?;
                let found = map_outside(bench, &options[..8])?;
                ensure!(
                    found == ["0", &uid.to_string(), "1", "1", "100000", "9"],
                    "uid_map is {found:?}"
                );
                bench
                    .stage(with("touch f; chown 5:5 f; stat -c %u f"))
                    .finish()?
                    .must_end_with(0)?
                    .must_write("5\n")?;
                let owner = fs::metadata(bench.folder.join("f"))?.uid();
                ensure!(owner == 100004, "uid 5 inside is {owner} outside, not 100004");
                Ok(())
            })
        },
    ),
];

/// The one line of each map that anybody may write: the user's own ids, called `inside`.
pub(super) fn own_lines(bench: &Bench, inside: u32) -> (String, String) {
    let line = |own| format!("{inside}:{own}:1");
    (line(bench.user.uid()), line(bench.user.gid()))
}

/// Puts other files in place of /etc/passwd and the like, in the judge's own mount namespace.
struct Etc(Vec<&'static str>);

impl Etc {
    fn with(bench: &Bench, files: &[(&'static str, &str)]) -> anyhow::Result<Etc> {
        let mut etc = Etc(Vec::new());
        for (file, text) in files {
            let name = file.rsplit('/').next().unwrap_or(file);
            let substitute = bench.file(name, text, 0o644)?;
            if fs::metadata(file).is_err() {
                return Err(anyhow::anyhow!("there is no {file} to put another in its place"));
            }
            let none: Option<&str> = None;
            mount(Some(&substitute), *file, none, MsFlags::MS_BIND, none)?;
            etc.0.push(file);
        }
        Ok(etc)
    }
}

impl Drop for Etc {
    fn drop(&mut self) {
        for file in &self.0 {
            let _ = umount2(*file, MntFlags::MNT_DETACH);
        }
    }
}

/// The fields of the command's uid_map, as seen from here.
fn map_outside(bench: &Bench, options: &[&str]) -> anyhow::Result<Vec<String>> {
    let words = [options, &["--", "sh", "-c", "echo ready; read wait || exit 0"]].concat();
    let mut running = bench.stage(words).start_waiting()?;
    running.until("ready")?;
    let map = fs::read_to_string(format!("/proc/{}/uid_map", running.command()?))?;
    running.release()?.must_end_with(0)?;
    Ok(map.split_whitespace().map(str::to_owned).collect())
}

/// Runs `check` while the ordinary user is granted the ids from 100000 on, in the judge's
/// own mount namespace; skips where that cannot be.
pub(super) fn with_granted_ids(
    bench: &Bench,
    check: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    with_ids_in_files(bench, "learner:100000:65536\n", check)
}

fn with_ids_in_files(
    bench: &Bench,
    granted: &str,
    check: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    if !std::path::Path::new("/usr/bin/newuidmap").exists() {
        return Ok(Outcome::Skipped(
            "newuidmap is not installed: install the package uidmap".into(),
        ));
    }
    if !geteuid().is_root() {
        return Ok(Outcome::Skipped(
            "only root can grant ids for a test, in a mount namespace of the judge's".into(),
        ));
    }
    let uid = bench.user.uid();
    let gid = bench.user.gid();
    let passwd = format!("root:x:0:0::/root:/bin/sh\nlearner:x:{uid}:{gid}::/:/bin/sh\n");
    let group = format!("root:x:0:\nlearner:x:{gid}:\n");
    let files = [
        ("/etc/passwd", passwd.as_str()),
        ("/etc/group", &group),
        ("/etc/subuid", granted),
        ("/etc/subgid", granted),
    ];
    let _etc = Etc::with(bench, &files)?;
    check()?;
    holds()
}
