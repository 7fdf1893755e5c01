//! Chapter 9: the container layer collects what changes, and belongs to one container.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
};

use anyhow::{Context, ensure};
use nix::fcntl::{Flock, FlockArg};

use crate::{
    checks::{Check, holds},
    layered::{image_of, is_aufs, script},
    told,
};

pub(super) const CHECKS: &[Check] = &[KEPT, NOBODY_ELSES_TURN];

const NOBODY_ELSES_TURN: Check = Check::new(
    9,
    "a container layer of yours waits for no other run's",
    "wait for a lock only where you need what it protects: here, the temporary layers' folder",
    |bench| {
        let named = || script(bench, &["--container-layer", "mine"], "echo ran").finish();
        named()?.must_end_with(0)?.must_write("ran\n")?;
        let temporary = image_of(bench).with_file_name("temporary");
        ensure!(
            !temporary.exists(),
            "it has made {}, and needs nothing there",
            temporary.display()
        );
        fs::create_dir(&temporary)?;
        let lock = Flock::lock(fs::File::open(&temporary)?, FlockArg::LockExclusive);
        let _lock = lock.map_err(|(_, errno)| errno).context("lock")?;
        named()?.must_end_with(0)?.must_write("ran\n")?;
        holds()
    },
);

const KEPT: Check = Check::new(
    9,
    "a container layer is kept for the next run, or removed",
    "the container layer holds all that the container changed: keep the layer, and the next run \
     goes on from there",
    |bench| {
        let layer = bench.folder("mine")?;
        let with = ["--container-layer", "mine"];
        script(bench, &with, "echo kept > /kept; rm /image-layer1.txt")
            .finish()?
            .must_end_with(0)?;
        let names = || {
            anyhow::Ok(
                fs::read_dir(&layer)?
                    .flatten()
                    .map(|entry| entry.file_name())
                    .collect::<Vec<_>>(),
            )
        };
        let mut found = names()?;
        found.sort();
        if is_aufs(bench)? {
            // Beside its whiteouts, aufs keeps files of its own there.
            found.retain(|name| !name.to_string_lossy().starts_with(".wh..wh."));
            let expected = [".wh.image-layer1.txt", "kept"];
            ensure!(found == expected, "the container layer has {found}", found = told(&found));
        } else {
            let expected = ["image-layer1.txt", "kept"];
            ensure!(found == expected, "the container layer has {found}", found = told(&found));
            let whiteout = fs::symlink_metadata(layer.join("image-layer1.txt"))?;
            let is_whiteout = whiteout.file_type().is_char_device() && whiteout.rdev() == 0;
            ensure!(is_whiteout, "what should be a whiteout has the mode {:o}", whiteout.mode());
        }
        script(bench, &with, "cat /kept; [ ! -e /image-layer1.txt ]")
            .finish()?
            .must_end_with(0)?
            .must_write("kept\n")?;
        let mut waiting =
            script(bench, &with, "echo ready; read wait || exit 0").start_waiting()?;
        waiting.until("ready")?;
        script(bench, &with, "true")
            .finish()?
            .must_end_with(125)?
            .must_complain(&["mine", "another container has it"])?;
        waiting.release()?.must_end_with(0)?;
        script(bench, &[&with[..], &["--rm"]].concat(), "cat /kept")
            .finish()?
            .must_end_with(0)?
            .must_write("kept\n")?;
        ensure!(!layer.exists(), "--rm left {}", layer.display());
        let left: Vec<_> =
            fs::read_dir(&bench.folder)?.flatten().map(|entry| entry.file_name()).collect();
        ensure!(
            !left.iter().any(|name| name.to_string_lossy().starts_with(".mine")),
            "left behind: {left}",
            left = told(&left)
        );

        let ended = script(bench, &["--keep"], "echo more > /more").finish()?.must_end_with(0)?;
        let said = ended.messages();
        let kept = said.iter().find_map(|message| message.strip_prefix("kept: --container-layer "));
        let kept = kept.context("the log does not say where the layer is kept")?;
        script(bench, &["--container-layer", kept, "--rm"], "cat /more")
            .finish()?
            .must_end_with(0)?
            .must_write("more\n")?;
        holds()
    },
);
