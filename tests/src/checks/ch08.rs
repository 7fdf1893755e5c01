//! Chapter 8: the command arrives byte for byte; PID 1.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    fs::{self, File},
    os::{
        fd::AsRawFd,
        unix::{ffi::OsStrExt, process::CommandExt},
    },
};

use anyhow::{Context, ensure};
use nix::sys::signal::Signal;
use tinyjson::JsonValue;

use super::{Check, Outcome, holds};
use crate::{host::nobody_stays, process::children_of};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        8,
        "a megabyte of arguments and variables arrives",
        "a pipe holds 64 KiB: open the gate before you write, or parent and child wait for each \
         other",
        |bench| {
            // Each argument may have 128 KiB at the most (MAX_ARG_STRLEN).
            let word = OsString::from("x".repeat(100_000));
            let mut words: Vec<&OsStr> = Vec::new();
            let variable: OsString = format!("BIG={}", "y".repeat(100_000)).into();
            words.extend([
                "-e".as_ref(),
                variable.as_os_str(),
                "--".as_ref(),
                "sh".as_ref(),
                "-c".as_ref(),
            ]);
            words.extend(["echo $# ${#10} ${#BIG}", "sh"].map(OsStr::new));
            words.extend(std::iter::repeat_n(word.as_os_str(), 10));
            bench
                .stage(words)
                .finish()?
                .must_end_with(0)?
                .must_write("10 100000 100000\n")?;
            holds()
        },
    ),
    Check::new(
        8,
        "init hears the end of the message",
        "init inherits the reading end, which must not be marked close-on-exec, and no other: it \
         reads to the end, and the end comes when nobody holds the writing end any more",
        |bench| {
            bench.stage(["true"]).finish()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        8,
        "quotes, spaces and empty words are not joined and split",
        "words joined by spaces cannot be told apart again: send each with its length",
        |bench| {
            let ended = bench
                .stage(["--", "sh", "-c", "printf '[%s]' \"$@\"", "sh", "a b", "", "c"])
                .finish()?;
            ended.must_end_with(0)?.must_write("[a b][][c]")?;
            holds()
        },
    ),
    Check::new(
        8,
        "the environment is -e's and a small one, byte for byte",
        "the host's environment says much about the host: send what the command is to have, and \
         nothing else",
        |bench| {
            let value = OsStr::from_bytes(b"ODD=\xff = 'x'\n ");
            let words = [
                "-e".as_ref(),
                value,
                "-e".as_ref(),
                "EMPTY=".as_ref(),
                "-e".as_ref(),
                "HOME=/mine".as_ref(),
            ];
            let ended = bench
                .stage(words.into_iter().chain(["--", "env", "-0"].map(OsStr::new)))
                .env("SECRET", "host")
                .finish()?;
            let ended = ended.must_end_with(0)?;
            let mut variables: Vec<&[u8]> = ended
                .output
                .split(|byte| *byte == 0)
                .filter(|variable| !variable.is_empty())
                .collect();
            variables.sort_unstable();
            let path = &b"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"[..];
            let expected = [&b"EMPTY="[..], b"HOME=/mine", b"ODD=\xff = 'x'\n ", path];
            ensure!(variables == expected, "the environment is {:?}", ended.text());
            for wrong in ["NAME", "=value", ""] {
                bench
                    .stage(["-e", wrong, "--", "echo", "ran"])
                    .finish()?
                    .must_end_with(2)?
                    .must_write("")?;
            }
            holds()
        },
    ),
    Check::new(
        8,
        "init by hand, or with a garbled message, is an error",
        "check the length and the sum of what came before you act on it",
        |bench| {
            for words in [["init", "0"], ["init", "77"]] {
                bench
                    .run(&bench.binary, words)
                    .finish()?
                    .must_end_with(125)?
                    .must_complain(&["not by hand"])?;
            }
            for (name, bytes) in [
                ("short", &b"init\x01\x05\0\0"[..]),
                ("garbled", b"sh -c whatever, joined by spaces"),
            ] {
                let (reader, mut writer) = std::io::pipe()?;
                std::io::Write::write_all(&mut writer, bytes)?;
                drop(writer);
                let run = bench.run(&bench.binary, ["init", "9"]).with(|command| {
                    // SAFETY: dup2 is async-signal-safe; the copy under the number 9 is the
                    // child's own.
                    unsafe {
                        command.pre_exec(move || {
                            nix::errno::Errno::result(libc::dup2(reader.as_raw_fd(), 9))?;
                            Ok(())
                        });
                    }
                });
                let ended = run.finish()?.must_end_with(125).context(name)?;
                ended.must_complain(&["receive the message"])?.must_write("")?;
            }
            holds()
        },
    ),
    Check::new(
        8,
        "no descriptor into the host is left open",
        "a descriptor survives execve(2) unless it is marked: whoever finds one into the host is \
         out",
        |bench| {
            let host = File::open("/")?;
            let run = bench.script("ls /proc/self/fd").with(|command| {
                // SAFETY: dup2 is async-signal-safe; the copy under the number 7 is not
                // close-on-exec.
                unsafe {
                    command.pre_exec(move || {
                        nix::errno::Errno::result(libc::dup2(host.as_raw_fd(), 7))?;
                        Ok(())
                    });
                }
            });
            let ended = run.finish()?.must_end_with(0)?;
            // A PID 1 that stays keeps nothing either, but the pipe for its error and what it
            // waits with.
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
                "PID 1 has: {open:?}"
            );
            ensure!(
                ended.text() == "0\n1\n2\n3\n",
                "the command has these descriptors open: {:?} (3 is ls's own)",
                ended.text()
            );
            holds()
        },
    ),
    Check::new(
        8,
        "the command can gain no privileges",
        "PR_SET_NO_NEW_PRIVS takes its power from every set-user-ID program for good",
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
        "standard input is passed on only with -i, the terminal only with -t",
        "a container that has your terminal can type into it: give what is asked for",
        |bench| {
            bench
                .stage(["cat"])
                .input("through")
                .finish()?
                .must_end_with(0)?
                .must_write("through")?;
            let rootfs = if bench.stage < 9 {
                &[][..]
            } else {
                &["--rootfs", "/"]
            };
            let words = |command: &[&'static str]| [&["run"], rootfs, &["--"], command].concat();
            bench
                .run(&bench.binary, words(&["cat"]))
                .input("lost")
                .finish()?
                .must_end_with(0)?
                .must_write("")?;
            let ended = bench.stage(["-t", "--", "echo", "ran"]).finish()?.must_end_with(2)?;
            ended.must_complain(&["-t", "no terminal"])?.must_write("")?;
            // The session of its own: the command leads it.
            bench
                .script("cut -d' ' -f6 /proc/self/stat")
                .finish()?
                .must_end_with(0)?
                .must_write("1\n")?;
            holds()
        },
    ),
    Check::new(
        8,
        "with --init an orphan is reaped and a signal is heard",
        "orphans become PID 1's children: it must wait for every child, not only for the one it \
         started",
        |bench| {
            // The orphan ends after its parent has; then PID 1 has a second to wait for it.
            let script = "orphan=$(sh -c 'sleep 0.05 >/dev/null & echo $!'); stat=/proc/$orphan/stat
         echo pid $$; trap 'echo heard; exit 9' TERM
         while [ -e $stat ] && ! grep -qF ') Z ' $stat; do sleep 0.01; done
         tries=0; while [ -e $stat ] && [ $tries -lt 100 ]; do sleep 0.01; tries=$((tries + 1)); done
         cat $stat 2>/dev/null; echo ready; while :; do sleep 0.05; done";
            let mut running = bench.stage(["--init", "--", "sh", "-c", script]).start()?;
            running.until("ready")?;
            let output = running.output();
            ensure!(output.contains("pid 2\n"), "the command is not PID 2: {output:?}");
            ensure!(
                !output.contains("(sleep) Z"),
                "an orphan that has ended is still a zombie: {output:?}"
            );
            running.signal(Signal::SIGTERM)?;
            let ended = running.finish()?.must_end_with(9)?;
            ensure!(ended.text().ends_with("ready\nheard\n"), "it wrote {:?}", ended.text());
            Ok(Outcome::Holds)
        },
    ),
    Check::new(
        8,
        "with --init the command's end is the container's",
        "PID 1 ends with the command's status, and the kernel ends the rest: whoever reaps the \
         others must leave that one to its own wait",
        |bench| {
            for (script, status) in [("exit 4", 4), ("kill -9 $$", 137), ("sleep 1000 & exit 0", 0)]
            {
                bench
                    .stage(["--init", "--", "sh", "-c", script])
                    .finish()?
                    .must_end_with(status)?;
            }
            let ended =
                bench.stage(["--init", "--", "no-such-command"]).finish()?.must_end_with(127)?;
            ended.must_complain(&["inside: exec no-such-command"])?;
            let running = {
                let mut running = bench
                    .stage(["--init", "--", "sh", "-c", "sleep 1000 & echo ready; sleep 1000"])
                    .start()?;
                running.until("ready")?;
                running
            };
            ensure!(!children_of(running.pid())?.is_empty(), "the stage has no child");
            running.signal(Signal::SIGKILL)?;
            running.finish()?.must_end_with(137)?;
            nobody_stays()?;
            holds()
        },
    ),
    Check::new(
        8,
        "--log-format json is one object a line, from both voices",
        "a machine reads one object a line: the error that ends the run is one too",
        |bench| {
            let ended = bench
                .stage(["--log-format", "json", "--", "no-such \"command\""])
                .finish()?
                .must_end_with(127)?;
            let mut roles = Vec::new();
            for line in ended.errors.lines() {
                let object: JsonValue =
                    line.parse().with_context(|| format!("{line:?} is no JSON"))?;
                let object: &HashMap<String, JsonValue> =
                    object.get().with_context(|| format!("{line:?} is no object"))?;
                for key in ["elapsed_ms", "role", "pid", "level", "message"] {
                    ensure!(object.contains_key(key), "{line:?} has no {key}");
                }
                roles.push(object["role"].get::<String>().cloned().context("a role is a string")?);
            }
            ensure!(
                ["parent", "child"].iter().all(|role| roles.iter().any(|other| other == role)),
                "the roles are {roles:?}"
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
    Check::new(
        8,
        "the command is looked up in the container's own PATH",
        "look the name up after the root and the environment are the container's",
        |bench| {
            let folder = bench.folder("programs")?;
            bench.file("programs/only-here", "#!/bin/sh\necho found\n", 0o755)?;
            let path = format!("PATH={}:/usr/bin:/bin", folder.display());
            bench
                .stage(["only-here"])
                .env("PATH", path.trim_start_matches("PATH="))
                .finish()?
                .must_end_with(127)?;
            bench
                .stage(["-e", &path, "--", "only-here"])
                .finish()?
                .must_end_with(0)?
                .must_write("found\n")?;
            fs::remove_dir_all(folder)?;
            holds()
        },
    ),
];
