//! Chapter 10: a name means one container, and never another one.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use anyhow::ensure;
use nix::sys::signal::{Signal, kill};

use crate::{
    Bench,
    bench::Run,
    checks::{Check, holds},
    named::{call, container, entries, entry},
    patience,
    process::wait_for_end,
    repetitions, told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        10,
        "a name is taken while its container runs, and free afterwards",
        "while the process that keeps the entry lives, the name is taken; make the entry before \
         you clone anything, and remove it when all of the container has ended: otherwise a second \
         container with the name could hide the first",
        |bench| {
            let running = container(bench, "box", &[])?;
            let again = named(bench, "box").finish()?.must_end_with(125)?;
            again.must_complain(&["the name box is taken", &running.command()?.to_string()])?;
            call(bench, &["kill", "box", "--signal", "CONT"]).finish()?.must_end_with(0)?;
            // It is taken until all is cleared up, and not only until the container has ended.
            let slow = container(bench, "slow", &[])?;
            let [_, keeper, command] = slow.processes()?[..] else {
                anyhow::bail!("a named container has a parent, a keeper and a command")
            };
            kill(keeper, Signal::SIGSTOP)?;
            kill(command, Signal::SIGKILL)?;
            let ended = wait_for_end(command, patience(bench.bound))?;
            let again = named(bench, "slow").finish()?;
            kill(keeper, Signal::SIGCONT)?;
            ensure!(ended, "a command that was killed has not ended");
            again.must_end_with(125)?.must_complain(&["the name slow is taken"])?;
            slow.finish()?.must_end_with(137)?;
            named(bench, "slow").finish()?.must_end_with(0)?;

            let other = container(bench, "other", &[])?;
            running.release()?.must_end_with(0)?;
            ensure!(!entry(bench, "box").exists(), "the entry is left");
            let gone = call(bench, &["kill", "box"]).finish()?.must_end_with(125)?;
            gone.must_complain(&["no container is called box"])?;
            other.release()?.must_end_with(0)?;
            ensure!(!entries(bench).exists(), "the folder of the entries is left");
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        10,
        "the name is the hostname, unless another is given, or it can be none",
        "a person knows by the prompt in which container they are: take the name where no \
         --hostname is given; a hostname has no `_` (hostname(7))",
        |bench| {
            for (options, expected) in [
                (&["--name", "web-1.old"][..], "web-1.old"),
                (&["--name", "box", "--hostname", "other"], "other"),
                (&["--name", "web_1"], "container-"),
            ] {
                let words = [&["run"], options, &["--", "uname", "-n"]].concat();
                let ended = call(bench, &words).finish()?.must_end_with(0)?;
                let text = ended.text();
                let found = text.trim_end();
                let is_expected =
                    found == expected || expected.ends_with('-') && found.starts_with(expected);
                ensure!(is_expected, "with {}, the hostname is {}", told(options), told(found));
            }
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        10,
        "a name is free at once, after any end and however often",
        "remove the entry in every case: an error on the way is an end, too",
        |bench| {
            let wrong = ["run", "-q", "--name", "box", "--rootfs", "/proc/1/none", "--", "true"];
            call(bench, &wrong).finish()?.must_end_with(125)?;
            let wrong = ["run", "-q", "--name", "box", "--rootfs", "/", "--", "no-such-command"];
            call(bench, &wrong).finish()?.must_end_with(127)?;
            for _ in 0..repetitions(20) {
                named(bench, "box").finish()?.must_end_with(0)?;
            }
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        10,
        "what cannot be a name is refused",
        "a name becomes the name of a file: with a slash in it, or a dot at its front, it would \
         be another file",
        |bench| {
            for name in ["", "../box", "-box", ".box", "a b", &"a".repeat(65)] {
                let words = ["run", &format!("--name={name}"), "--", "true"];
                let refused = call(bench, &words).finish()?.must_end_with(2)?;
                refused.must_complain(&["a name has 1 to 64"])?;
            }
            call(bench, &["ps", "box"])
                .finish()?
                .must_end_with(2)?
                .must_complain(&["box"])?;
            holds()
        },
    ),
    Check::new(
        10,
        "a folder of entries that others may change is not used",
        "an entry decides which process gets a signal: read it only from a folder that nobody \
         else may change, and follow no link to that folder",
        |bench| {
            let folder = entries(bench);
            let name = "clone-to-container";
            symlink(bench.folder("elsewhere")?, &folder)?;
            let linked = named(bench, "box").finish()?.must_end_with(125)?;
            linked.must_complain(&[name, "set XDG_RUNTIME_DIR"])?;
            fs::remove_file(&folder)?;
            fs::create_dir(&folder)?;
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o777))?;
            let open = call(bench, &["ps"]).finish()?.must_end_with(125)?;
            open.must_complain(&[name, "set XDG_RUNTIME_DIR"])?;
            fs::remove_dir(&folder)?;
            let relative = bench.run(&bench.binary, ["ps"]).env("XDG_RUNTIME_DIR", "here");
            let relative = relative.finish()?.must_end_with(125)?;
            relative.must_complain(&["XDG_RUNTIME_DIR is here"])?;
            holds()
        },
    ),
];

/// `run --name NAME -- true`.
fn named<'a>(bench: &'a Bench, name: &str) -> Run<'a> {
    call(bench, &["run", "-q", "--name", name, "--", "true"])
}
