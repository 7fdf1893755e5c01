//! Chapter 1: what every command may expect.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

use anyhow::ensure;

use crate::checks::{Check, holds};
use crate::told;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        1,
        "arguments arrive byte for byte",
        "arguments are bytes without a zero byte, not text: keep them as OsString from the command \
         line to execve(2)",
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
            ensure!(ended.output == expected, "the command got {}", told(&ended.text()));
            holds()
        },
    ),
    Check::new(
        1,
        "standard input and output are the command's",
        "the child inherits descriptors 0, 1 and 2. Write the log to standard error, never to \
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
        "if 0, 1 or 2 is closed, the next open(2) returns that number, and a pipe of the runtime \
         becomes the command's output: open /dev/null in its place first",
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
        "open descriptors, blocked and ignored signals, and the environment survive execve(2). \
         Restore what you changed, and close what the caller left open",
        |bench| {
            let script = "ls /proc/self/fd; grep -E '^Sig(Blk|Ign)' /proc/self/status; env";
            // The caller may have a folder open: with it the command could leave any root.
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
                "the command has these descriptors open: {descriptors} (3 is ls's own)",
                descriptors = told(&descriptors)
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
                "blocked and ignored signals: {with}, and without the stage {without}",
                with = told(&with),
                without = told(&without)
            );
            // From 8 on the command's environment is its own, and not the caller's.
            let is_kept = text.contains("MINE=kept\n");
            ensure!(
                is_kept == (bench.stage < 8),
                "the caller's variable MINE {}",
                if is_kept { "is there" } else { "is not there" }
            );
            ensure!(
                !text.contains("LAB_"),
                "a variable of the runtime's is in the command's environment"
            );
            holds()
        },
    ),
];
