//! Chapter 5: maps with further ids, which newuidmap(1) and newgidmap(1) write.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use anyhow::ensure;

use super::own_lines;
use crate::{
    Bench, Outcome, User,
    checks::Check,
    granted::{with_granted_ids, with_ids_in_files},
    told,
};

pub(super) const CHECKS: &[Check] = &[Check::new(
    5,
    "a map with more ids goes through newuidmap",
    "start newuidmap(1) and newgidmap(1) for it: they have the privilege, and write what \
         /etc/subuid and /etc/subgid grant",
    |bench| {
        let uid = bench.user.uid();
        let (uid_map, gid_map) = own_lines(bench, 0);
        let maps = ["--uid-map", &uid_map, "--uid-map", "1:100000:9"];
        let maps = [&maps[..], &["--gid-map", &gid_map, "--gid-map", "1:100000:7"]].concat();
        let options = [&maps[..], &["--", "sh", "-c"]].concat();
        let with = |script| options.iter().copied().chain([script]);
        must_ask_the_helpers(bench, &options)?;
        if !Path::new("/usr/bin/newuidmap").exists() {
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
                "with auto, uid_map is {found}",
                found = told(&found)
            );
            bench
                .stage(["--uid-map", "auto", "--uid-map", "0:0:1", "--", "true"])
                .finish()?
                .must_end_with(2)?;
            let found = map_outside(bench, &options[..8])?;
            ensure!(
                found == ["0", &uid.to_string(), "1", "1", "100000", "9"],
                "uid_map is {found}",
                found = told(&found)
            );
            let script = "cd $0; touch f; chown 5:5 f; stat -c %u f";
            let folder = bench.folder.display().to_string();
            bench
                .stage(with(script).chain([folder.as_str()]))
                .finish()?
                .must_end_with(0)?
                .must_write("5\n")?;
            let owner = fs::metadata(bench.folder.join("f"))?.uid();
            ensure!(owner == 100004, "uid 5 inside is {owner} outside, not 100004");
            Ok(())
        })
    },
)
// root writes any map: the check above.
.only_as(User::Ordinary)];

/// The helpers are started for these maps, and only where one is needed: here they are scripts
/// that note their words, and write no map. newuidmap refuses its own.
fn must_ask_the_helpers(bench: &Bench, options: &[&str]) -> anyhow::Result<()> {
    let programs = bench.folder("programs")?;
    let noted = bench.folder.join("noted");
    for (helper, end) in [("newgidmap", ""), ("newuidmap", "echo newuidmap: no >&2; exit 1\n")] {
        let note = format!("shift; echo {helper} \"$@\" >> {}", noted.display());
        let script = format!("#!/bin/sh\n{note}\n{end}");
        bench.file(&format!("programs/{helper}"), &script, 0o755)?;
    }
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display());
    let (uid, gid) = (bench.user.uid(), bench.user.gid());
    let both = format!("newgidmap 0 {gid} 1 1 100000 7\nnewuidmap 0 {uid} 1 1 100000 9\n");
    let another = ["--uid-map", "0:100000:1", "--", "sh", "-c"];
    for (options, expected) in
        [(options, &*both), (&another, "newuidmap 0 100000 1\n"), (&another[2..], "")]
    {
        let run = bench.stage(options.iter().copied().chain(["echo ran"])).env("PATH", &path);
        let ended = run.finish()?;
        let found = fs::read_to_string(&noted).unwrap_or_default();
        ensure!(
            found == expected,
            "{found} was started, not {expected}, each with the pid first; it said: {}",
            ended.errors,
            found = told(&found),
            expected = told(&expected)
        );
        if expected.is_empty() {
            ended.must_end_with(0)?; // your own id takes no helper
            continue;
        }
        let ended = ended.must_end_with(125)?.must_complain(&["newuidmap refuses the map"])?;
        ended.must_write("")?;
        fs::remove_file(&noted)?;
    }
    Ok(())
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
