//! Chapter 1: clone(2), wait(2), a hostname of one's own; and what every command may expect.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt};

use anyhow::{Context, ensure};

use super::{Check, holds, messages, namespaces_inside, own_namespaces};
use crate::User;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        1,
        "the hostname changes inside only",
        "sethostname(2) changes the UTS namespace of the caller: call it in the child, after \
         clone(2) with CLONE_NEWUTS",
        |bench| {
            let hosts = || {
                fs::read_to_string("/proc/sys/kernel/hostname").context("read the host's hostname")
            };
            let before = hosts()?;
            let words = [
                "--hostname",
                "a-name-of-its-own",
                "--",
                "sh",
                "-c",
                "uname -n; read wait || exit 0",
            ];
            let mut running = bench.stage(words).start_waiting()?;
            running.until("\n")?;
            ensure!(hosts()? == before, "the host's hostname is {:?} now", hosts()?.trim());
            ensure!(
                running.output() != before,
                "inside, the hostname is the host's: {:?}",
                before.trim()
            );
            running.release()?.must_end_with(0)?;
            ensure!(hosts()? == before, "the host's hostname is {:?} now", hosts()?.trim());
            holds()
        },
    ),
    Check::new(
        1,
        "the hostname is the one that was asked for",
        "the name comes from the command line: whoever says --hostname gets that one, up to 64 \
         bytes of it",
        |bench| {
            for name in ["a-name-of-its-own", "another", &"x".repeat(64)] {
                let ended =
                    bench.stage(["--hostname", name, "uname", "-n"]).finish()?.must_end_with(0)?;
                ended.must_write(&format!("{name}\n"))?;
            }
            holds()
        },
    ),
    Check::new(
        1,
        "it ends when its command ends",
        "the parent ends when its child has, and not before: ask for the pid's end first, and \
         sleep only if it has not come",
        |bench| {
            bench.stage(["true"]).finish()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        1,
        "the new namespaces are the table's, no more and no fewer",
        "each CLONE_NEW* flag makes one new namespace, and without its flag the child stays in the \
         parent's",
        |bench| {
            let new = match bench.stage {
                1 => vec!["uts"],
                2 => vec!["ipc", "uts"],
                3 => vec!["ipc", "pid", "uts"],
                4 => vec!["ipc", "mnt", "pid", "uts"],
                5 => vec!["ipc", "mnt", "pid", "user", "uts"],
                _ => vec!["ipc", "mnt", "net", "pid", "user", "uts"],
            };
            // An ordinary user's first four stages borrow a user namespace.
            let borrowed = bench.user == User::Ordinary && bench.stage < 5;
            let (outside, inside) = (own_namespaces()?, namespaces_inside(bench)?);
            for (kind, namespace) in &inside {
                let expected = new.contains(kind) || borrowed && *kind == "user";
                let is_new = outside[kind] != *namespace;
                ensure!(
                    is_new == expected,
                    "{kind}: outside {}, inside {namespace}; it should be {}",
                    outside[kind],
                    if expected { "a new one" } else { "the same" }
                );
            }
            holds()
        },
    ),
    Check::new(
        1,
        "arguments arrive byte for byte",
        "arguments are bytes without a zero, not text: keep them as OsString from end to end",
        |bench| {
            let words: [&[u8]; 6] =
                [b"a b", b"", b"\xff\xfe", b"it's \"quoted\"", b"two\nlines", b"--hostname"];
            let mut arguments = vec![
                OsStr::new("--"),
                OsStr::new("sh"),
                OsStr::new("-c"),
                OsStr::new("printf '%s|' \"$@\""),
            ];
            arguments.push(OsStr::new("sh"));
            arguments.extend(words.iter().map(|word| OsStr::from_bytes(word)));
            let ended = bench.stage(arguments).finish()?.must_end_with(0)?;
            let mut expected = words.join(&b"|"[..]);
            expected.push(b'|');
            ensure!(ended.output == expected, "the command got {:?}", ended.text());
            holds()
        },
    ),
    Check::new(
        1,
        "standard input and output are the command's",
        "the child inherits descriptors 0, 1 and 2; the log goes to standard error and never to \
         standard output",
        |bench| {
            let ended = bench.stage(["cat"]).input("one\ntwo\n").finish()?.must_end_with(0)?;
            ended.must_write("one\ntwo\n")?;
            holds()
        },
    ),
    Check::new(
        1,
        "closed standard streams do no harm",
        "with 0, 1 or 2 closed, the next open(2) gets its number: a pipe of the runtime must not \
         become the command's output",
        |bench| {
            for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
                let script = format!("exec \"$0\" \"$@\" {closed}");
                let run = bench.script("echo seen; exit 3").under(&["sh", "-c", &script]);
                let ended = run.finish()?.must_end_with(3)?;
                ended.must_write(if closed.contains('>') && !closed.starts_with('2') {
                    ""
                } else {
                    "seen\n"
                })?;
            }
            holds()
        },
    ),
    Check::new(
        1,
        "the command starts with nothing of the runtime's",
        "open descriptors, blocked and ignored signals and the environment survive execve(2): give \
         back what you took, and pass on nothing that the caller left open",
        |bench| {
            let script = "ls /proc/self/fd; grep -E '^Sig(Blk|Ign)' /proc/self/status; env";
            // Whoever starts the stage may have a folder open: with it the command could leave any
            // root.
            let caller = ["sh", "-c", "exec 9</; exec \"$@\"", "sh"];
            let ended = bench
                .script(script)
                .env("MINE", "kept")
                .under(&caller)
                .finish()?
                .must_end_with(0)?;
            let text = ended.text();
            let descriptors: Vec<&str> =
                text.lines().take_while(|line| line.parse::<u32>().is_ok()).collect();
            // ls has the folder that it lists open as its fourth.
            ensure!(
                descriptors == ["0", "1", "2", "3"],
                "the command has these descriptors open: {descriptors:?} (3 is ls's own)"
            );
            let signals = |text: &str| {
                text.lines()
                    .filter(|line| line.starts_with("Sig"))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            let without_stage = bench.run("sh", ["-c", script]).finish()?.must_end_with(0)?.text();
            let (with, without) = (signals(&text), signals(&without_stage));
            ensure!(
                with == without,
                "blocked and ignored signals: {with:?}, and without the stage {without:?}"
            );
            // From 8 on the command's environment is its own, and not the caller's.
            ensure!(text.contains("MINE=kept\n") == (bench.stage < 8), "the environment is {text}");
            ensure!(
                !text.contains("LAB_"),
                "a variable of the runtime's is in the command's environment"
            );
            holds()
        },
    ),
    Check::new(
        1,
        "without a command there is a shell that names the stage",
        "the prompt is the environment variable PS1 of the shell",
        |bench| {
            let none: [&str; 0] = [];
            let ended =
                bench.stage(none).input("echo \"$PS1\"; exit 3\n").finish()?.must_end_with(3)?;
            let number = format!("{:02}-", bench.stage);
            ensure!(
                ended.text().contains(&number),
                "PS1 is {:?}, and does not name the stage",
                ended.text()
            );
            holds()
        },
    ),
    Check::new(
        1,
        "each line of the log is whole and says who speaks",
        "two processes write to one standard error: a line in one write(2), or lines tear",
        |bench| {
            for _ in 0..10 {
                let ended = bench.script("true").finish()?.must_end_with(0)?;
                for line in ended.errors.lines() {
                    let columns: Vec<&str> = line.split_whitespace().take(3).collect();
                    let [elapsed, who, place] = columns[..] else {
                        anyhow::bail!("a line of the log is {line:?}")
                    };
                    let time = elapsed.strip_prefix('+').and_then(|time| time.strip_suffix("ms"));
                    ensure!(
                        time.is_some_and(|time| time.parse::<f64>().is_ok()),
                        "no time: {line:?}"
                    );
                    let pid = who.split_once('[').and_then(|(_, pid)| pid.strip_suffix(']'));
                    ensure!(
                        pid.is_some_and(|pid| pid.parse::<u32>().is_ok()),
                        "no role and pid: {line:?}"
                    );
                    ensure!(place.contains("::"), "no chapter and function: {line:?}");
                    ensure!(!line.contains('\x1b'), "colour, and this is no terminal: {line:?}");
                }
                let said = messages(&ended);
                ensure!(
                    said.iter().any(|message| message.starts_with("cloning: ")),
                    "nobody says what is cloned"
                );
                ensure!(
                    said.iter().any(|message| message.ends_with("ended with status 0")),
                    "nobody says how it ended"
                );
            }
            holds()
        },
    ),
    Check::new(
        1,
        "-q and RUST_LOG=off leave a plain runtime",
        "a log is for a reader: who turns it off wants the command's own words only",
        |bench| {
            let ended = bench
                .stage(["-q", "--", "sh", "-c", "echo out; echo err >&2"])
                .finish()?
                .must_end_with(0)?;
            ensure!(ended.errors == "err\n", "with -q it says {:?}", ended.errors);
            let ended =
                bench.script("echo err >&2").env("RUST_LOG", "off").finish()?.must_end_with(0)?;
            ensure!(ended.errors == "err\n", "with RUST_LOG=off it says {:?}", ended.errors);
            holds()
        },
    ),
];
