//! Chapter 13: `exec` gives no more than `run` gave.

use std::fs;

use anyhow::{Context, ensure};

use super::{
    OF_DOCKER, Rights,
    effects::written,
    files::{OWN, must_be_refused, profile},
    in_exec,
};
use crate::{
    bench::Running,
    checks::{Check, holds},
    layered::layers_with_inside,
    named::{call, container, container_that, entry, exec},
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        13,
        "exec has the capabilities that run gave, by name or by pid",
        "setns(2) into a user namespace gives all capabilities there: write down what run gave, \
         and take the rest away again",
        |bench| {
            for (options, kept) in [
                (&["-q", "--cap-drop", "ALL", "--cap-add", "CHOWN"][..], 1),
                (&["-q", "--cap-add", "NET_ADMIN"], OF_DOCKER | 1 << 12),
            ] {
                let running = container(bench, "box", options)?;
                for how in both(&running)? {
                    in_exec(bench, &words(&how), |pid| Rights::of_root(kept).must_be_of(pid))?;
                }
                running.release()?.must_end_with(0)?;
            }
            holds()
        },
    ),
    Check::new(
        13,
        "what PID 1 has given up since, exec does not get either",
        "a process can take capabilities out of its bounding set for good: give no more than the \
         bounding set that PID 1 has now",
        |bench| {
            let layers = layers_with_inside(bench)?;
            let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
            let running = container_that(
                bench,
                "box",
                &[&["-q"], &layers[..]].concat(),
                "exec /inside unbound 0 5",
            )?;
            for how in both(&running)? {
                let expected = Rights::of_root(OF_DOCKER & !0x21);
                in_exec(bench, &words(&how), |pid| expected.must_be_of(pid))?;
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        13,
        "exec has run's filter, whatever has become of the profile's file",
        "the file may have changed since, and may not be yours: write the compiled filter down",
        |bench| {
            let layers = layers_with_inside(bench)?;
            let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
            let file = profile(bench, "own.json", OWN)?;
            let options = [&["-q", "--seccomp", &file], &layers[..]].concat();
            let running = container(bench, "box", &options)?;
            let calls = [written(libc::SYS_keyctl, "0"), written(libc::SYS_unshare, "268435456")];
            for change in ["as it was", "changed", "removed"] {
                match change {
                    "changed" => fs::write(&file, r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#)?,
                    "removed" => fs::remove_file(&file)?,
                    _ => {}
                }
                for how in both(&running)? {
                    let [keyctl, unshare] = &calls;
                    let command = ["--", "/inside", "call", keyctl, unshare];
                    let words = [&["exec", "-q"], &words(&how)[..], &command].concat();
                    let ended = call(bench, &words).finish()?.must_end_with(0)?;
                    ended.must_write("E2BIG\n0\n").with_context(|| change)?;
                }
            }
            running.release()?.must_end_with(0)?;
            // Where nothing is filtered, exec filters nothing.
            let options = [&["-q", "--seccomp", "unconfined"], &layers[..]].concat();
            let running = container(bench, "box", &options)?;
            for how in both(&running)? {
                let rights = in_exec(bench, &words(&how), Rights::of)?;
                ensure!(!rights.has_filter, "it has {rights}");
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        13,
        "exec into a container of the stage below has what its PID 1 has",
        "an entry without these lines is of a stage below: the kernel tells what PID 1 has",
        |bench| {
            let run = ["run", "-qi", "--name", "box", "--", "sh", "-c", "echo up; cat"];
            let below = bench.run(bench.other("12-walls"), run);
            let mut running = below.env("XDG_RUNTIME_DIR", bench.temporary()).start_waiting()?;
            running.until("up\n")?;
            let init = Rights::of(running.command()?)?;
            ensure!(init.sets[3] != OF_DOCKER && !init.has_filter, "PID 1 has {init}");
            for how in both(&running)? {
                let rights = in_exec(bench, &words(&how), Rights::of)?;
                ensure!(rights.sets == init.sets, "it has {rights}, and PID 1 {init}");
                ensure!(!rights.has_filter && rights.no_new_privileges, "it has {rights}");
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        13,
        "an entry whose privileges are garbled is refused",
        "what cannot be read whole is no permission: exec must not go on with what is left",
        |bench| {
            let running = container(bench, "box", &["-q", "--ulimit", "core=0"])?;
            let file = entry(bench, "box");
            let text = fs::read_to_string(&file).context("read the entry")?;
            let line = |name: &str| {
                let found = text.split_inclusive('\n').find(|line| line.starts_with(name));
                found.with_context(|| format!("the entry has no line {name}"))
            };
            let (seccomp, limits) = (line("seccomp ")?, line("limits ")?);
            let capabilities = line("capabilities ")?;
            let cut = &seccomp[..seccomp.len() / 2 / 16 * 16 + "seccomp ".len()];
            for (from, to) in [
                (seccomp, ""),
                (capabilities, ""),
                (limits, ""),
                (seccomp, "seccomp \n"),
                (seccomp, "seccomp none\n"),
                (seccomp, "seccomp 0\n"),
                (seccomp, "seccomp unconfined please\n"),
                (seccomp, &format!("{cut}\n")),
                (capabilities, "capabilities all\n"),
                (capabilities, "capabilities 00000000a80425f\n"),
                (limits, "limits core=none\n"),
            ] {
                fs::write(&file, text.replace(from, to))?;
                let ended = exec(bench, &["box"], "echo ran").finish()?;
                // A filter is long, in hexadecimal digits.
                let shown = told(&to.chars().take(40).collect::<String>());
                must_be_refused(ended, &[]).with_context(|| format!("with {shown} in it"))?;
            }
            fs::write(&file, &text)?;
            exec(bench, &["box"], "echo ran")
                .finish()?
                .must_end_with(0)?
                .must_write("ran\n")?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
];

/// Its name, and its pid.
fn both(running: &Running) -> anyhow::Result<[Vec<String>; 2]> {
    let pid = running.command()?.to_string();
    let by_pid = ["--target", &pid, "--all"].map(str::to_owned).to_vec();
    Ok([vec!["box".to_owned()], by_pid])
}

fn words(how: &[String]) -> Vec<&str> {
    how.iter().map(String::as_str).collect()
}
