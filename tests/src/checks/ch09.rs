//! Chapter 9: image layers stay as they are, the container layer collects what changes.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

use super::{Check, Outcome, ch05::with_granted_ids, ch06::must_be_new, holds, messages};
use crate::{
    User,
    bench::{Bench, Ended, Run},
    delegation::delegated,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        9,
        "the machine's devices, knobs and program keep what they are",
        "root inside may be root outside: what is the machine's is bound in read-only",
        |bench| {
            let modes = || {
                ["/dev/null", "/dev/full", "/dev/tty"]
                    .map(|path| fs::metadata(path).map(|data| data.mode()).ok())
            };
            let before = modes();
            for (deed, file) in [
                ("chmod 600 /dev/full", "/dev/full"),
                ("chown 1 /dev/null", "/dev/null"),
                ("echo 1 > /proc/sys/vm/swappiness", "/proc/sys/vm/swappiness"),
                ("echo > /proc/sysrq-trigger", "/proc/sysrq-trigger"),
            ] {
                if Path::new(file).exists() {
                    must_be_refused(script(bench, &[], deed).finish()?, READ_ONLY, deed)?;
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
        "a map of all ids to themselves is not the first user namespace: what may be mounted there \
         is less",
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
    ),
    Check::new(
        9,
        "an image made under a strict umask is for all users",
        "what is shared is made with permissions of its own, not with whatever umask the first \
         caller has",
        |bench| {
            let run = script(bench, &[], "stat -c %a / /bin /etc /etc/passwd /tmp");
            let ended = run
                .under(&["sh", "-c", "umask 077; exec \"$0\" \"$@\""])
                .finish()?
                .must_end_with(0)?;
            ended.must_write("755\n755\n755\n644\n1777\n")?;
            holds()
        },
    ),
    Check::new(
        9,
        "the default image is a root of its own, in layers",
        "a union file system shows the layers as one folder: pivot_root into that",
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
            ensure!(points == expected, "these mounts are inside: {points:?}");
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
            ensure!(ended.text() == "1\n", "the shell wrote {:?}", ended.text());
            holds()
        },
    ),
    Check::new(
        9,
        "the log lists what changed, and the image is as it was",
        "a changed file is copied up, a deleted one is whited out: both in the container layer",
        |bench| {
            script(bench, &[], "true").finish()?.must_end_with(0)?;
            let before = contents(&image_of(bench))?;
            let deeds = "echo 5 >> /image-layer1.txt; rm /image-layer2.txt; echo n > /new; mkdir /made; touch /made/in; \
                         rm -r /mnt; mkdir /mnt; chmod 600 /image-layer3.txt; cat /image-layer4.txt > /dev/null";
            let ended = script(bench, &[], deeds).finish()?.must_end_with(0)?;
            let expected = [
                "changed /image-layer1.txt",
                "deleted /image-layer2.txt",
                "changed /image-layer3.txt",
                "added /made",
                "added /made/in",
                "changed /mnt",
                "added /new",
            ];
            let found = listed(&ended);
            ensure!(found == expected, "the log lists {found:#?}");
            // A folder's own permissions, a name that only aufs would take for a whiteout, and
            // a folder in place of a file.
            let deeds = "chmod 700 /root; touch /etc/.wh.passwd; rm /image-layer3.txt; mkdir /image-layer3.txt; ln -s x /link";
            let found = listed(&script(bench, &[], deeds).finish()?.must_end_with(0)?);
            if !is_aufs(bench)? {
                let expected = [
                    "added /etc/.wh.passwd",
                    "changed /image-layer3.txt",
                    "added /link",
                    "changed /root",
                ];
                ensure!(found == expected, "the log lists {found:#?}");
            }
            ensure!(contents(&image_of(bench))? == before, "the image has changed");
            script(bench, &[], "cat /image-layer2.txt; [ ! -e /new ]")
                .finish()?
                .must_end_with(0)?
                .must_write("2\n")?;
            holds()
        },
    ),
    Check::new(
        9,
        "a container layer is kept for the next run, or removed",
        "the container layer is the container: keep it, and the next run goes on where this one \
         ended",
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
                ensure!(found == expected, "the container layer has {found:?}");
            } else {
                let expected = ["image-layer1.txt", "kept"];
                ensure!(found == expected, "the container layer has {found:?}");
                let whiteout = fs::symlink_metadata(layer.join("image-layer1.txt"))?;
                let is_whiteout = whiteout.file_type().is_char_device() && whiteout.rdev() == 0;
                ensure!(is_whiteout, "the whiteout is {whiteout:?}");
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
                "left behind: {left:?}"
            );

            let ended =
                script(bench, &["--keep"], "echo more > /more").finish()?.must_end_with(0)?;
            let said = messages(&ended);
            let kept =
                said.iter().find_map(|message| message.strip_prefix("kept: --container-layer "));
            let kept = kept.context("the log does not say where the layer is kept")?;
            script(bench, &["--container-layer", kept, "--rm"], "cat /more")
                .finish()?
                .must_end_with(0)?
                .must_write("more\n")?;
            holds()
        },
    ),
    Check::new(
        9,
        "a folder of the image can be deleted and made again",
        "overlay marks the new folder opaque, with an attribute that a user namespace may write: \
         userxattr",
        |bench| {
            let again = "rm -r /etc && mkdir /etc && ls -A /etc && echo done";
            script(bench, &[], again).finish()?.must_end_with(0)?.must_write("done\n")?;
            if bench.user == User::Ordinary && bench.stage == 9 {
                // The test of the test: plain overlay in a user namespace mounts, and then fails.
                let plain = "mount -t tmpfs none . && cd $PWD && mkdir -p low/d/x up work merged \
                             && mount -t overlay none -o lowerdir=low,upperdir=up,workdir=work merged || exit 3; \
                             rm -r merged/d && mkdir merged/d || exit 4";
                bench.folder("plain")?;
                let ended = bench
                    .run("sh", ["-c", plain])
                    .within(&bench.folder.join("plain"))
                    .under(&["unshare", "-rm"])
                    .finish()?;
                ensure!(
                    [3, 4].contains(&ended.status()),
                    "plain overlay can do it here: {ended:?}"
                );
            }
            holds()
        },
    ),
    Check::new(
        9,
        "the highest layer wins",
        "layers are named lowest first; overlay wants its lowerdir highest first",
        |bench| {
            let layers =
                [layer(bench, "low", "who", "low\n")?, layer(bench, "high", "who", "high\n")?];
            stacked(bench, &[], &layers, "cat /who")?
                .finish()?
                .must_end_with(0)?
                .must_write("high\n")?;
            let ended = stacked(bench, &[], &layers, "rm /who; echo mine > /who")?
                .finish()?
                .must_end_with(0)?;
            ensure!(listed(&ended) == ["changed /who"], "the log lists {:?}", listed(&ended));
            holds()
        },
    ),
    Check::new(
        9,
        "layers with odd paths, long ones, and 200 of them",
        "mount(2) takes one string of at most a page: fsconfig(2) takes each layer by itself",
        |bench| {
            let long = format!("{0}/{0}/{0}", "l".repeat(100));
            let names = ["co:lon", "com,ma", "sp ace", "back\\slash", "all, of:th\\em ", &long];
            let mut layers = Vec::new();
            for (number, name) in names.iter().enumerate() {
                fs::create_dir_all(bench.folder.join(name).parent().context("a parent")?)?;
                layers.push(layer(bench, name, &format!("odd{number}"), "x")?);
            }
            // aufs cannot be told of such paths, and says so.
            let overlay = ["--driver", "overlay"];
            stacked(bench, &overlay, &layers, "ls -d /odd* | wc -l")?
                .finish()?
                .must_end_with(0)?
                .must_write("6\n")?;
            for name in ["odd,container:layer", "container\\layer"] {
                let odd = bench.folder(name)?;
                let words = [
                    "--container-layer".as_ref(),
                    odd.as_os_str(),
                    "--".as_ref(),
                    "touch".as_ref(),
                    "/made".as_ref(),
                ];
                container(bench, overlay.iter().map(OsStr::new).chain(words))
                    .finish()?
                    .must_end_with(0)?;
                ensure!(odd.join("made").exists(), "the container layer {name} has no /made");
            }

            let many: Vec<PathBuf> = (0..200)
                .map(|number| layer(bench, &format!("n{number}"), &format!("n{number}"), ""))
                .collect::<Result<_, _>>()?;
            let ended = stacked(bench, &overlay, &many, "ls -d /n* | wc -l")?.finish()?;
            if ended.status() == 125 {
                // Before Linux 6.7 there is one string of at most a page.
                ended.must_complain(&["mount(2) takes 4095"])?;
            } else {
                ended.must_end_with(0)?.must_write("200\n")?;
            }
            holds()
        },
    ),
    Check::new(
        9,
        "a layer that cannot be one gets a clear error",
        "find and check the layers before anything is cloned",
        |bench| {
            bench.file("a-file", "", 0o644)?;
            let wrong: [(&[&str], &str); 4] = [
                (&["--layer", "no-such-layer"], "no-such-layer: No such file"),
                (&["--layer", "a-file"], "a-file: it is not a folder"),
                (&["--container-layer", "a-file"], "a-file"),
                (&["--container-layer", "/proc/layer"], "/proc/layer"),
            ];
            for (options, reason) in wrong {
                let ended = script(bench, options, "echo ran").finish()?.must_end_with(125)?;
                ended.must_complain(&[reason])?.must_write("")?;
            }
            bench.folder("image/inner")?;
            let overlapping =
                [["image", "image/inner"], ["image/inner", "image"], ["image", "image"]];
            for [layer, container] in overlapping {
                let ended =
                    script(bench, &["--layer", layer, "--container-layer", container], "echo ran")
                        .finish()?;
                ended.must_end_with(125)?.must_complain(&["overlaps"])?.must_write("")?;
            }
            let twice =
                script(bench, &["--layer", "image", "--layer", "image"], "echo ran").finish()?;
            twice.must_end_with(125)?.must_complain(&["named twice"])?.must_write("")?;
            for options in
                [&["--rm", "--keep"][..], &["--layer", "/", "--rootfs", "/"], &["--driver", "zfs"]]
            {
                script(bench, options, "echo ran").finish()?.must_end_with(2)?.must_write("")?;
            }
            if !fs::read_to_string("/proc/filesystems")?.contains("\taufs\n") {
                let ended = script(bench, &["--driver", "aufs"], "echo ran")
                    .finish()?
                    .must_end_with(125)?;
                ended.must_complain(&["this kernel has no aufs"])?.must_write("")?;
            }
            holds()
        },
    ),
    Check::new(
        9,
        "programs find /proc, /sys, /dev and /tmp",
        "a device cannot be made in a user namespace: bind the host's harmless ones",
        |bench| {
            let deeds = "echo x > /dev/null && head -c 3 /dev/zero | wc -c \
                         && head -c 5 /dev/urandom | wc -c && ls /dev && echo y > /dev/shm/f \
                         && stat -c %a /tmp && cat < /dev/stdin && ls -d /proc/[0-9]* \
                         && ls /sys/class/net";
            let ended = script(bench, &[], deeds).input("in\n").finish()?.must_end_with(0)?;
            let text = ended.text();
            let devices = "fd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\n\
                           tty\nurandom\nzero\n";
            let before = format!("3\n5\n{devices}1777\nin\n/proc/1\n");
            let rest = text.strip_prefix(&before).with_context(|| format!("inside: {text:?}"))?;
            let processes_and_interfaces: Vec<&str> = rest.lines().collect();
            let interfaces =
                processes_and_interfaces.into_iter().filter(|line| !line.starts_with("/proc"));
            must_be_new(bench, interfaces.map(str::to_owned).collect())?;
            for (deed, why) in [
                ("cat /etc/passwd > /dev/full", "No space left on device"),
                ("mkdir /sys/fs/made", READ_ONLY),
                ("mknod /device b 8 0", "Operation not permitted"),
            ] {
                must_be_refused(script(bench, &[], deed).finish()?, why, deed)?;
            }
            holds()
        },
    ),
    Check::new(
        9,
        "chown works for the ids that are mapped, and the log says when there is one",
        "an id that no map names cannot own a file: EINVAL; --uid-map auto maps those of \
         /etc/subuid",
        |bench| {
            let deed = "touch /f && chown 5:7 /f && stat -c %u:%g /f";
            if bench.user == User::Root {
                script(bench, &[], deed).finish()?.must_end_with(0)?.must_write("5:7\n")?;
                return holds();
            }
            let ended = script(bench, &[], deed).finish()?;
            ensure!(
                messages(&ended).iter().any(|message| message.contains("--uid-map auto")),
                "the log says nothing of one id"
            );
            must_be_refused(ended, "Invalid argument", "chown to an id that is not mapped")?;
            with_granted_ids(bench, || {
                let ended =
                    script(bench, &["--uid-map", "auto"], deed).finish()?.must_end_with(0)?;
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
    Check::new(
        9,
        "limits hold for what is written to memory",
        "a file in a tmpfs is memory, and the group of whoever wrote it pays",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                // The shell stays and says how dd ended.
                let deed = "dd if=/dev/zero of=/dev/shm/f bs=1M count=100; echo ended $?";
                let ended = delegation.put(script(bench, &["-m", "50m"], deed)).finish()?;
                ended.must_end_with(0)?.must_write("ended 137\n").map(drop)
            })
        },
    ),
    Check::new(
        9,
        "real aufs, where the kernel has it",
        "aufs's first branch is written to, the others are read: dirs=CONTAINER:TOP:…:LOWEST",
        |bench| {
            if !fs::read_to_string("/proc/filesystems")?.contains("\taufs\n") {
                return Ok(Outcome::Skipped(
                    "this kernel has no aufs: `make test-kernels KERNEL=…` with one that has"
                        .into(),
                ));
            }
            if bench.user == User::Ordinary {
                let ended = script(bench, &["--driver", "aufs"], "echo ran")
                    .finish()?
                    .must_end_with(125)?;
                ended.must_complain(&["only root"])?;
                return holds();
            }
            let layer = bench.folder("mine")?;
            let options = ["--driver", "aufs", "--container-layer", "mine"];
            let deeds = "echo 5 >> /image-layer1.txt; rm /image-layer2.txt; echo n > /new; rm -r /mnt; mkdir /mnt";
            let ended = script(bench, &options, deeds).finish()?.must_end_with(0)?;
            let expected = [
                "changed /image-layer1.txt",
                "deleted /image-layer2.txt",
                "changed /mnt",
                "added /new",
            ];
            ensure!(listed(&ended) == expected, "the log lists {:?}", listed(&ended));
            ensure!(
                layer.join(".wh.image-layer2.txt").exists(),
                "there is no whiteout in {}",
                layer.display()
            );
            holds()
        },
    ),
];

/// `09-aufs run -i`, with the image that it has by itself.
pub(super) fn container<S: AsRef<OsStr>>(
    bench: &Bench,
    words: impl IntoIterator<Item = S>,
) -> Run<'_> {
    let words = words.into_iter().map(|word| word.as_ref().to_owned());
    bench.run(&bench.binary, ["run", "-i"].map(OsString::from).into_iter().chain(words))
}

pub(super) fn script<'a>(bench: &'a Bench, options: &[&str], script: &str) -> Run<'a> {
    container(bench, [options, &["--", "sh", "-c", script]].concat())
}

/// A file's kind and mode, its owner, and its content.
type Content = (u32, u32, Vec<u8>);

/// Every file below a folder.
fn contents(folder: &Path) -> anyhow::Result<BTreeMap<PathBuf, Content>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        let data = path.symlink_metadata()?;
        let content = match data {
            _ if data.is_file() => fs::read(&path)?,
            _ if data.is_symlink() => fs::read_link(&path)?.into_os_string().into_encoded_bytes(),
            _ => Vec::new(),
        };
        if data.is_dir() {
            found.extend(contents(&path)?);
        }
        found.insert(path, (data.mode(), data.uid(), content));
    }
    Ok(found)
}

/// The list of changes on the log.
fn listed(ended: &Ended) -> Vec<String> {
    let is_change = |message: &String| {
        ["added /", "changed /", "deleted /"]
            .iter()
            .any(|word| message.starts_with(word))
    };
    messages(ended).into_iter().filter(is_change).collect()
}

/// The folder of the default image; the number at its parent's end changes with the image.
fn image_of(bench: &Bench) -> PathBuf {
    let cache = bench.folder.join(".cache");
    let mut entries = fs::read_dir(&cache).into_iter().flatten().flatten();
    let is_ours = |name: &OsStr| name.to_string_lossy().starts_with("clone-to-container-");
    let folder = entries.find(|entry| is_ours(&entry.file_name())).map(|entry| entry.path());
    folder.unwrap_or(cache).join("image")
}

/// Whether the kernel mounts overlay for root of a user namespace: not before Linux 5.11.
fn overlay_mounts_in_user_namespace(bench: &Bench) -> anyhow::Result<bool> {
    let deeds = "mount -t tmpfs none . && cd $PWD && mkdir low up work merged \
                 && mount -t overlay none -o lowerdir=low,upperdir=up,workdir=work merged";
    let folder = bench.folder("overlay")?;
    let ended = bench
        .run("sh", ["-c", deeds])
        .within(&folder)
        .under(&["unshare", "-rm"])
        .finish()?;
    Ok(ended.status() == 0)
}

/// Whether the root is put together by aufs here.
fn is_aufs(bench: &Bench) -> anyhow::Result<bool> {
    Ok(bench.user == User::Root && fs::read_to_string("/proc/filesystems")?.contains("\taufs\n"))
}

/// Makes a layer with one file.
fn layer(bench: &Bench, name: &str, file: &str, text: &str) -> anyhow::Result<PathBuf> {
    let folder = bench.folder(name)?;
    fs::write(folder.join(file), text)?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// The base of the default image, for images that are made from it.
fn base(bench: &Bench) -> anyhow::Result<PathBuf> {
    if !image_of(bench).exists() {
        script(bench, &[], "true").finish()?.must_end_with(0)?;
    }
    Ok(image_of(bench).join("base"))
}

/// A run with these layers above the base, of `sh -c SCRIPT`.
fn stacked<'a>(
    bench: &'a Bench,
    options: &[&str],
    layers: &[PathBuf],
    script: &str,
) -> anyhow::Result<Run<'a>> {
    let mut words: Vec<OsString> = options.iter().map(OsString::from).collect();
    words.extend(["--layer".into(), base(bench)?.into()]);
    words.extend(layers.iter().flat_map(|layer| ["--layer".into(), layer.clone().into()]));
    words.extend(["--", "sh", "-c", script].map(OsString::from));
    Ok(container(bench, words))
}

const READ_ONLY: &str = "Read-only file system";

/// The command tried the deed, and the kernel refused it for this reason: no missing program
/// and no stage that did not start.
fn must_be_refused(ended: Ended, reason: &str, deed: &str) -> anyhow::Result<()> {
    let tried = ended.status() != 0 && ended.errors.contains(reason);
    ensure!(tried, "`{deed}` was not refused with {reason:?}: {ended:?}");
    Ok(())
}
