//! Chapter 9: a container layer and an image that an attacker has made.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use nix::{
    sys::stat::{Mode, SFlag, makedev, mknod},
    unistd::geteuid,
};

use crate::{
    Outcome, User,
    checks::{Check, holds},
    layered::{container, layer, listed, script, stacked},
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        9,
        "folders nested deeper than a stack or a path reaches are walked, and removed",
        "the container chooses how deep its folders nest: a function that calls itself for each \
         folder overflows its stack, a path has at most 4096 bytes (PATH_MAX), and descriptors \
         have a limit; an error while reading the layer must not change the command's exit status",
        |bench| {
            let nested = |depth: u32| {
                format!(
                    "d=; n=0; while [ $n -lt {depth} ]; do d=$d/a; n=$((n + 1)); done
                     mkdir -p $d; exit 7"
                )
            };
            let name = "n".repeat(200);
            let long = format!(
                "n=0; while [ $n -lt 25 ]; do mkdir {name} && cd -P {name} || exit 1
                 n=$((n + 1)); done; exit 7"
            );
            for action in [&nested(1900), &long] {
                for options in [&[][..], &["--container-layer", "deep", "--rm"]] {
                    let ended = script(bench, options, action).finish()?.must_end_with(7)?;
                    let changes = ended.messages().into_iter();
                    let found = changes.filter(|line| line.starts_with("added /")).count();
                    ensure!(found > 20, "the log lists {found} folders");
                    ensure!(!bench.folder.join("deep").exists(), "--rm left the layer");
                }
            }
            // Fewer descriptors than there are folders.
            let run = script(bench, &["--container-layer", "deep", "--rm"], &nested(600));
            let run = run.under(&["sh", "-c", "ulimit -n 256; exec \"$0\" \"$@\""]);
            run.finish()?.must_end_with(7)?;
            ensure!(!bench.folder.join("deep").exists(), "--rm left the layer");
            holds()
        },
    )
    .that_takes_long(),
    Check::new(
        9,
        "a file's name cannot forge a line of the log, or talk to the terminal",
        "the container chooses its files' names: a newline in a name would begin a new line of \
         the log, and a terminal obeys escape sequences",
        |bench| {
            let action = "touch \"/$(printf 'x\\n+0.00ms parent[1] 01-uts::main all is well')\" \
                        \"/$(printf 'red\\033[31m\\007')\"";
            let ended = script(bench, &[], action).finish()?.must_end_with(0)?;
            let forged = ended.errors.lines().any(|line| line.starts_with("+0.00ms"));
            let raw = ended.errors.contains(['\x1b', '\x07']);
            ensure!(!forged && !raw, "it says {}", told(&ended.errors));
            ensure!(listed(&ended).len() == 2, "the log lists {}", told(&listed(&ended)));
            holds()
        },
    ),
    Check::new(
        9,
        "a link in an image layer leads nowhere but in the image",
        "a link to /etc in a layer means the container's /etc; if you follow it from outside, you \
         get the host's",
        |bench| {
            let hosts = layer(bench, "hosts", "there", "on the host\n")?;
            let low = bench.folder("low")?;
            symlink(&hosts, low.join("a"))?;
            let high = bench.folder("high")?;
            bench.folder("high/a")?;
            let action = "echo mine > /a/there; echo mine > /a/only-mine";
            let ended = stacked(bench, &[], &[low, high], action)?.finish()?.must_end_with(0)?;
            let expected = ["added /a/only-mine", "added /a/there"];
            ensure!(listed(&ended) == expected, "the log lists {}", told(&listed(&ended)));
            holds()
        },
    ),
    Check::new(
        9,
        "no device that an image brings works",
        "a container cannot make a device, but an image can bring one: mount the root with nodev",
        |bench| {
            if !geteuid().is_root() {
                return Ok(Outcome::Skipped("only root can make a device for a test".into()));
            }
            let folder = bench.folder("with-a-device")?;
            let all = Mode::from_bits_truncate(0o666);
            mknod(&folder.join("null"), SFlag::S_IFCHR, all, makedev(1, 3)).context("mknod")?;
            let action = "[ -c /null ] && ! { echo x > /null; } 2>/dev/null && echo refused";
            let ended = stacked(bench, &[], &[folder], action)?.finish()?;
            ended.must_end_with(0)?.must_write("refused\n")?;
            holds()
        },
    )
    .only_as(User::Root),
    Check::new(
        9,
        "for a machine the list of changes is complete",
        "a person wants the beginning of a long list, a machine wants all of it",
        |bench| {
            let action = "for n in 1 2 3 4 5 6 7; do for m in 1 2 3 4 5 6 7 8 9; do
                        echo > /new-$n$m; done; done";
            let count = |options: &[&str]| {
                let ended = script(bench, options, action).finish()?.must_end_with(0)?;
                anyhow::Ok(ended.errors.matches("added /new-").count())
            };
            let (for_people, for_machines) = (count(&[])?, count(&["--log-format", "json"])?);
            ensure!(
                for_people < 63 && for_machines == 63,
                "of 63 changes the log lists {for_people}, and {for_machines} in JSON"
            );
            holds()
        },
    ),
    Check::new(
        9,
        "what is only there to be mounted on is no change of the container's",
        "if the image has no /proc, the stage makes that folder for its mount: do not list it as \
         the container's change, neither at the first run nor when the layer is kept for the next",
        |bench| {
            let bare = without_furniture(bench)?;
            for _ in 0..2 {
                let words = ["--layer", &bare, "--container-layer", "mine", "--"];
                let action = ["sh", "-c", "echo hi > /hi"];
                let ended = container(bench, words.iter().chain(&action)).finish()?;
                let ended = ended.must_end_with(0)?;
                ensure!(listed(&ended) == ["added /hi"], "the log lists {}", told(&listed(&ended)));
            }
            holds()
        },
    ),
];

/// An image that lacks /proc, /sys, /dev and /tmp.
fn without_furniture(bench: &crate::Bench) -> anyhow::Result<String> {
    let image: PathBuf = bench.folder.join("bare");
    bench.run(bench.other("rootfs"), [&image]).finish()?.must_end_with(0)?;
    for folder in ["proc", "sys", "dev", "tmp"] {
        let path: &Path = &image.join(folder);
        if path.exists() {
            fs::remove_dir_all(path).with_context(|| format!("remove {}", path.display()))?;
        }
    }
    Ok(image.display().to_string())
}
