//! Chapter 8: what a container gets of the caller's, and what the log says of it.

use std::{
    collections::HashMap,
    fs::File,
    os::{fd::AsRawFd, unix::process::CommandExt},
};

use anyhow::{Context, ensure};
use nix::errno::Errno;
use tinyjson::JsonValue;

use crate::checks::{Check, holds};
use crate::told;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        8,
        "no descriptor into the host is left open",
        "mark every descriptor close-on-exec: one that survives execve(2) and leads to the host \
         is a way out",
        |bench| {
            let host = File::open("/")?;
            let run = bench.script("ls /proc/self/fd").with(|command| {
                // SAFETY: dup2 is async-signal-safe; the copy under the number 7 is not
                // close-on-exec.
                unsafe {
                    command.pre_exec(move || {
                        Errno::result(libc::dup2(host.as_raw_fd(), 7))?;
                        Ok(())
                    });
                }
            });
            let ended = run.finish()?.must_end_with(0)?;
            // A PID 1 that stays keeps nothing either, but what it waits with.
            let script = "readlink /proc/1/fd/* | grep / | sort -u; \
                          tr '\\0' '\\n' < /proc/1/environ | grep -c SECRET || true";
            let caller = ["sh", "-c", "exec 9</; exec \"$0\" \"$@\""];
            let run = bench
                .stage(["--init", "--", "sh", "-c", script])
                .env("SECRET", "host")
                .under(&caller);
            let open = run.finish()?.must_end_with(0)?.text();
            ensure!(
                !open.lines().any(|line| line == "/") && open.ends_with("0\n"),
                "PID 1 has: {open}",
                open = told(&open)
            );
            ensure!(
                ended.text() == "0\n1\n2\n3\n",
                "the command has these descriptors open: {} (3 is ls's own)",
                told(&ended.text())
            );
            holds()
        },
    ),
    Check::new(
        8,
        "the command can gain no privileges",
        "set PR_SET_NO_NEW_PRIVS: then no set-user-ID program inside gives a privilege",
        |bench| {
            bench
                .script("grep NoNewPrivs /proc/self/status")
                .finish()?
                .must_end_with(0)?
                .must_write("NoNewPrivs:\t1\n")?;
            holds()
        },
    ),
    Check::new(
        8,
        "--log-format json has nothing in it that a terminal obeys",
        "JSON lets all but the first 32 control characters stand as they are: write U+009B and \
         marks such as U+202E as \\uXXXX, as well",
        |bench| {
            let forged = "\u{9b}2J\u{202e}\u{200b}\u{7f}\x1b\"\\\n";
            let words = ["--log-format", "json", "--", "sh", "-c", "exit 3", forged];
            let refused = ["--log-format", "json", "--", forged];
            let ended = bench.stage(words).finish()?.must_end_with(3)?;
            let refused = bench.stage(refused).finish()?.must_end_with(127)?;
            let hostname = ["--log-format", "json", "--hostname", forged, "--", "true"];
            let named = bench.stage(hostname).finish()?.must_end_with(0)?;
            for line in [&ended, &refused, &named].iter().flat_map(|one| one.errors.lines()) {
                let obeyed = |c: char| c.is_control() || "\u{202e}\u{200b}".contains(c);
                ensure!(!line.contains(obeyed), "it writes {}", told(line));
            }
            let messages: Vec<String> =
                named.errors.lines().map(message).collect::<anyhow::Result<_>>()?;
            let is_said = messages.iter().any(|message| message.contains(forged));
            ensure!(is_said, "no message has the hostname as it is: {}", told(&messages));
            holds()
        },
    ),
    Check::new(
        8,
        "--log-format json is one object a line, from both voices",
        "write each line as one object, the error that ends the run too: a program reads them",
        |bench| {
            let ended = bench
                .stage(["--log-format", "json", "--", "no-such \"command\""])
                .finish()?
                .must_end_with(127)?;
            let mut roles = Vec::new();
            for line in ended.errors.lines() {
                let object: JsonValue = line
                    .parse()
                    .with_context(|| format!("{line} is no JSON", line = told(&line)))?;
                let object: &HashMap<String, JsonValue> = object
                    .get()
                    .with_context(|| format!("{line} is no object", line = told(&line)))?;
                for key in ["elapsed_ms", "role", "pid", "level", "message"] {
                    ensure!(object.contains_key(key), "{line} has no {key}", line = told(&line));
                }
                let role = object["role"].get::<String>().cloned().context("a role is a string")?;
                let is_init = object["pid"].get() == Some(&1.0);
                ensure!(
                    !is_init || role == "child",
                    "{line}: PID 1 is the child",
                    line = told(&line)
                );
                roles.push(role);
            }
            ensure!(
                ["parent", "child"].iter().all(|role| roles.iter().any(|other| other == role)),
                "the roles are {roles}",
                roles = told(&roles)
            );
            ensure!(
                ended
                    .errors
                    .lines()
                    .last()
                    .is_some_and(|line| line.contains("\"level\":\"error\"")),
                "the last is no error"
            );
            holds()
        },
    ),
];

/// The message of a line of the log in JSON.
fn message(line: &str) -> anyhow::Result<String> {
    let object: JsonValue = line.parse().with_context(|| format!("{} is no JSON", told(line)))?;
    let object: &HashMap<String, JsonValue> = object.get().context("a line is an object")?;
    object["message"].get::<String>().cloned().context("a message is a string")
}
