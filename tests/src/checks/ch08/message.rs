//! Chapter 8: the command arrives byte for byte.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::{
        fd::AsRawFd,
        unix::{ffi::OsStrExt, process::CommandExt},
    },
};

use anyhow::{Context, ensure};
use nix::errno::Errno;

use crate::checks::{Check, holds};
use crate::told;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        8,
        "a megabyte of arguments and variables arrives",
        "open the gate before you send: a channel holds about 200 KiB, and when it is full, \
         parent and child would wait for each other",
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
        "init reads the message to its end",
        "init inherits its end of the channel, not marked close-on-exec, and nothing else: the \
         message ends only when no process has the other end open",
        |bench| {
            bench.stage(["echo", "read"]).finish()?.must_end_with(0)?.must_write("read\n")?;
            holds()
        },
    ),
    Check::new(
        8,
        "quotes, spaces and empty words are not joined and split",
        "send each word with its length: words that are joined by spaces cannot be told apart \
         again",
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
        "send the command's own environment and nothing of the host's, byte for byte",
        |bench| {
            let value = OsStr::from_bytes(b"ODD\xfe=\xff = 'x'\n ");
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
            let expected = [&b"EMPTY="[..], b"HOME=/mine", b"ODD\xfe=\xff = 'x'\n ", path];
            ensure!(variables == expected, "the environment is {}", told(&ended.text()));
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
        "check length and checksum of a message before you act on it",
        |bench| {
            bench
                .run(&bench.binary, ["init"])
                .finish()?
                .must_end_with(125)?
                .must_complain(&["do not start it by hand"])?;
            for (name, bytes) in [
                ("short", &b"init\x01\x05\0\0"[..]),
                ("garbled", b"sh -c whatever, joined by spaces"),
            ] {
                let (reader, mut writer) = std::io::pipe()?;
                std::io::Write::write_all(&mut writer, bytes)?;
                drop(writer);
                let by_hand =
                    bench.run(&bench.binary, ["init"]).env("LAB_DESCRIPTORS", "message=9");
                let run = by_hand.with(|command| {
                    // SAFETY: dup2 is async-signal-safe; the copy under the number 9 is the
                    // child's own.
                    unsafe {
                        command.pre_exec(move || {
                            Errno::result(libc::dup2(reader.as_raw_fd(), 9))?;
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
        "the command is looked up in the container's own PATH",
        "look the command up when root and environment are the container's, and not before",
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
