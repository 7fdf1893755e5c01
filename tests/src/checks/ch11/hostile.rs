//! Chapter 11: a container that lies in wait for an `exec`.

use std::os::fd::AsRawFd;

use anyhow::{Context, ensure};
use nix::errno::Errno;

use crate::{
    checks::{Check, holds},
    named::{call, container, container_that, exec},
    terminal::Terminal,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        11,
        "--pid without --mount is refused for a container",
        "a process in a PID namespace can be reached there as /proc/PID/root: a command with your \
         root would open your files to root inside",
        |bench| {
            let running = container(bench, "box", &[])?;
            let pid = running.command()?.to_string();
            for kinds in [&["--user", "--pid"][..], &["--user", "--net", "--pid", "--ipc"]] {
                let words = [&["--target", &pid], kinds].concat();
                let refused = exec(bench, &words, "echo ran").finish()?.must_end_with(2)?;
                refused.must_complain(&["--pid without --mount"])?.must_write("")?;
            }
            let both = ["--target", &pid, "--user", "--pid", "--mount"];
            exec(bench, &both, "echo ran").finish()?.must_end_with(0)?.must_write("ran\n")?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        11,
        "a /proc that the container has made cannot hang exec",
        "after you join the mount namespace, /proc is what root inside put there, perhaps a FIFO \
         that nobody writes to: read what you need before you join",
        |bench| {
            let trap = "mount -t tmpfs none /proc && mkdir -p /proc/self/ns /proc/self/fd /proc/1
                for file in setgroups uid_map gid_map status stat exe cgroup mountinfo ns/user; do
                    mkfifo /proc/self/$file /proc/1/$file 2>/dev/null
                done
                [ -p /proc/self/setgroups ] && echo up; cat";
            let running = container_that(bench, "box", &["-q"], trap)?;
            for how in [&["box"][..], &["--one-by-one", "box"]] {
                exec(bench, how, "echo ran").finish()?.must_end_with(0)?.must_write("ran\n")?;
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    )
    .privileged(),
    Check::new(
        11,
        "what exec has left behind reads nothing that you type",
        "a process that stays in the container keeps what it was given: with your terminal it \
         would read your shell's input",
        |bench| {
            let running = container(bench, "box", &["-q"])?;
            let thief = "for fd in 0 1 2; do
                             eval \"(while read -r word <&$fd; do echo \\$word >>/stolen; done) &\"
                         done 2>/dev/null; sleep 0.05; exit 0";
            let words = ["exec", "-q", "box", "--", "sh", "-c", thief];
            let shell = "\"$0\" \"$@\"; echo at the prompt
                         while read line; do echo \"heard $line.\"
                         [ \"$line\" != end ] || exit 6; done";
            let mut terminal = Terminal::of_words(call(bench, &words), shell)?;
            terminal.until("at the prompt")?;
            for line in ["one", "two", "three", "four", "end"] {
                terminal.write(&format!("{line}\n"))?;
                terminal.until(&format!("heard {line}."))?;
            }
            let status = terminal.end()?;
            ensure!(status == 6, "the shell's exit status was {status}, not 6");
            let stolen = exec(bench, &["box"], "cat /stolen 2>/dev/null; exit 0").finish()?;
            stolen.must_end_with(0)?.must_write("")?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        11,
        "a bootstrap that was typed by hand is an error",
        "check what arrives before you act on it: CHILD joins what it is told to",
        |bench| {
            let bytes: [&[u8]; 3] =
                [b"", b"boot\x02\x05\0\0\0", b"exec box -- sh, joined by spaces"];
            for bytes in bytes {
                let (reader, mut writer) = std::io::pipe()?;
                std::io::Write::write_all(&mut writer, bytes)?;
                drop(writer);
                let by_hand = call(bench, &["ps"]).env("LAB_DESCRIPTORS", "nsenter=9");
                let run = by_hand.with(|command| {
                    use std::os::unix::process::CommandExt;
                    // SAFETY: dup2 is async-signal-safe; the copy under the number 9 is the
                    // child's own.
                    unsafe {
                        command.pre_exec(move || {
                            Errno::result(libc::dup2(reader.as_raw_fd(), 9))?;
                            Ok(())
                        });
                    }
                });
                let ended = run
                    .finish()?
                    .must_end_with(125)
                    .with_context(|| format!("after a message of {} bytes", bytes.len()))?;
                ended.must_complain(&["receive the bootstrap data"])?.must_write("")?;
            }
            holds()
        },
    ),
];
