//! Chapter 9: a container layer is a folder of yours, among others of yours.

use std::{
    fs,
    os::unix::fs::{DirEntryExt, MetadataExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use nix::unistd::geteuid;

use crate::{
    Bench, User,
    checks::{Check, holds},
    layered::{layer, script, stacked},
    named, told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        9,
        "what is yours beside the container layer stays, and no link there is followed",
        "remove only what you made, and do not recognise it by its name alone: mkdir(2) fails if \
         the name exists, so a folder that it made is new, and no link",
        |bench| {
            let data = bench.folder("data")?;
            let victim = layer(bench, "victim", "precious", "mine\n")?;
            let names = [".mine.work", ".mine.rehearsal", ".mine.run-precious"];
            for name in names {
                let folder = layer(bench, &format!("data/{name}"), "precious", "mine\n")?;
                own(bench, &folder)?;
            }
            for name in [".other.work", ".other.rehearsal", ".other.run-0123abcd"] {
                symlink(&victim, data.join(name))?;
            }
            own(bench, &victim)?;
            let all = || -> anyhow::Result<Vec<PathBuf>> {
                let mut found = names_in(&data)?;
                found.retain(|path| !path.ends_with("mine") && !path.ends_with("other"));
                found.extend(names_in(&victim)?);
                for name in names {
                    found.extend(names_in(&data.join(name))?);
                }
                Ok(found)
            };
            let before = all()?;
            for name in ["data/mine", "data/other"] {
                for _ in 0..2 {
                    let run = script(bench, &["--container-layer", name], "echo x > /x");
                    run.finish()?.must_end_with(0)?;
                    let after = all()?;
                    ensure!(
                        after == before,
                        "there were {before}, and are {after}",
                        before = told(&before),
                        after = told(&after)
                    );
                }
            }
            holds()
        },
    ),
    Check::new(
        9,
        "an image layer of a container is no container layer of another, and the other way round",
        "no file of an image layer may change while a container uses it: take a lock that readers \
         share and a writer has alone",
        |bench| {
            let shared = layer(bench, "shared", "file", "original\n")?;
            own(bench, &shared)?;
            let waits = "cat /file; read wait || exit 0";
            let layers = [shared.clone()];
            let mut reader = stacked(bench, &["-q"], &layers, waits)?.start_waiting()?;
            reader.until("original\n")?;
            let path = shared.display().to_string();
            let writes = || script(bench, &["-q", "--container-layer", &path], "echo ran");
            let refused = writes().finish()?.must_end_with(125)?.must_write("")?;
            refused.must_complain(&["shared", "another container has it"])?;
            // Two may read it.
            stacked(bench, &["-q"], &layers, "cat /file")?
                .finish()?
                .must_end_with(0)?
                .must_write("original\n")?;
            reader.release()?.must_end_with(0)?;

            if bench.stage >= 12 && bench.user == User::Root {
                chown(&shared, Some(SHIFTED), Some(SHIFTED))?;
            }
            let options = ["-q", "--container-layer", &path];
            let mut writer =
                script(bench, &options, "echo up; read wait || exit 0").start_waiting()?;
            writer.until("up\n")?;
            let refused = stacked(bench, &["-q"], &layers, "echo ran")?.finish()?;
            let refused = refused.must_end_with(125)?.must_write("")?;
            refused.must_complain(&["shared", "as its container layer"])?;
            writer.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        9,
        "a container layer that is refused is not made",
        "check first, then make: nobody removes what you made for a run that does not start",
        |bench| {
            layer(bench, "image", "file", "")?;
            for name in ["image/made", "image/made/below"] {
                let words = ["--layer", "image", "--container-layer", name];
                let refused = script(bench, &words, "echo ran").finish()?.must_end_with(125)?;
                refused.must_complain(&["overlaps"])?.must_write("")?;
                ensure!(
                    !bench.folder.join("image/made").exists(),
                    "{name} was refused, and image/made was made in the image layer"
                );
            }
            holds()
        },
    ),
    Check::new(
        9,
        "a container layer that a failed run has made is removed",
        "what you make for a run you take away if it fails; rmdir(2) removes an empty folder only, \
         and so nothing of yours",
        |bench| {
            let named_layer = |number: i32| layer(bench, &format!("l{number}"), "file", "");
            let layers: Vec<PathBuf> = (0..510).map(named_layer).collect::<Result<_, _>>()?;
            let precious = layer(bench, "mine", "precious", "mine\n")?.join("precious");
            own(bench, &bench.folder.join("mine"))?;
            for options in [&[][..], &["--rm"]] {
                for name in ["new", "mine"] {
                    let words =
                        [&["--container-layer", name, "--driver", "overlay"], options].concat();
                    let refused = stacked(bench, &words, &layers, "echo ran")?.finish()?;
                    refused.must_end_with(125)?.must_write("")?;
                    ensure!(
                        !bench.folder.join("new").exists(),
                        "{}: the layer is left",
                        told(&options)
                    );
                    ensure!(precious.exists(), "{}: what was in the layer is gone", told(&options));
                }
            }
            if bench.stage >= 10 {
                let running = named::container(bench, "box", &[])?;
                let words = ["run", "--name", "box", "--container-layer", "new", "--", "true"];
                let refused = named::call(bench, &words).finish()?.must_end_with(125)?;
                refused.must_complain(&["the name box is taken"])?;
                ensure!(!bench.folder.join("new").exists(), "a taken name: the layer is left");
                running.release()?.must_end_with(0)?;
            }
            holds()
        },
    ),
    Check::new(
        9,
        "an empty container layer looks like the image's root",
        "the highest layer determines what / is: its mode and owner are the container layer's, \
         and only its owner may enter a folder of mktemp(1)",
        |bench| {
            let mine = bench.folder("mine")?;
            fs::set_permissions(&mine, fs::Permissions::from_mode(0o700))?;
            let with = ["--container-layer", "mine"];
            let looks = "stat -c '%a %u %g' /";
            script(bench, &with, looks)
                .finish()?
                .must_end_with(0)?
                .must_write("755 0 0\n")?;
            if bench.user == User::Root {
                let other = [&with[..], &["--user", "1:1"]].concat();
                script(bench, &other, "id -u").finish()?.must_end_with(0)?.must_write("1\n")?;
            }
            // One that is kept is as the container has left it.
            script(bench, &with, "chmod 711 /; echo x > /x").finish()?.must_end_with(0)?;
            script(bench, &with, looks)
                .finish()?
                .must_end_with(0)?
                .must_write("711 0 0\n")?;
            holds()
        },
    ),
    Check::new(
        9,
        "a file has one inode number, however it is asked for, and all are of one device",
        "below a union, readdir(2) and stat(2) get inode numbers from different file systems: \
         with xino overlay gives its own numbers, so that du(1) counts a folder once",
        |bench| {
            for options in [&["-q"][..], &["-q", "--container-layer", "mine"]] {
                let action = "echo mine > /etc/mine; echo up; read wait || exit 0";
                let mut running = script(bench, options, action).start_waiting()?;
                running.until("up\n")?;
                let root = PathBuf::from(format!("/proc/{}/root", running.command()?));
                let compared = fs::metadata(&root).map_err(Into::into).and_then(|data| {
                    let mut compared = 0;
                    ["bin", "etc", "usr", "root"].iter().try_for_each(|folder| {
                        compare(&root.join(folder), data.dev(), &mut compared)
                    })?;
                    anyhow::Ok(compared)
                });
                running.release()?.must_end_with(0)?;
                let compared = compared.with_context(|| told(&options))?;
                ensure!(compared > 20, "only {compared} files were compared");
            }
            holds()
        },
    ),
];

/// Root inside, outside, from 12 on if root starts it.
const SHIFTED: u32 = 1_879_048_192;

/// Gives a folder, and what is in it, to the bench's user.
fn own(bench: &Bench, folder: &Path) -> anyhow::Result<()> {
    if geteuid().is_root() {
        for path in names_in(folder)?.into_iter().chain([folder.to_owned()]) {
            chown(&path, Some(bench.user.uid()), Some(bench.user.gid()))?;
        }
    }
    Ok(())
}

fn names_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let mut names: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    names.sort();
    Ok(names)
}

/// Asks for each entry of a folder in two ways, and counts them.
fn compare(folder: &Path, device: u64, compared: &mut u32) -> anyhow::Result<()> {
    let is_link = folder.symlink_metadata().is_ok_and(|data| data.is_symlink());
    if is_link || !folder.exists() {
        return Ok(()); // a link in there leads to the judge's own files
    }
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let entry = entry?;
        let (path, data) = (entry.path(), entry.path().symlink_metadata()?);
        ensure!(
            data.dev() == device,
            "{} is of device {}, / of {device}",
            path.display(),
            data.dev()
        );
        ensure!(
            entry.ino() == data.ino(),
            "{}: readdir says {}, stat {}",
            path.display(),
            entry.ino(),
            data.ino()
        );
        *compared += 1;
        if data.is_dir() {
            compare(&path, device, compared)?;
        }
    }
    Ok(())
}
