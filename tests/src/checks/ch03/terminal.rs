//! Chapter 3: whose is the terminal?

use std::fs;

use anyhow::{Context, ensure};
use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        termios::LocalFlags,
    },
};

use super::signals::until_heard;
use crate::{
    checks::{Check, holds},
    process::children_of,
    seccomp::refuse,
    terminal::Terminal,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        3,
        "Ctrl-Z stops what runs in the shell, and nothing hangs",
        "a parent in the child's process group gets the child's Ctrl-Z too. It must ignore it: if \
         it stops, no process continues it",
        |bench| {
            let mut terminal = Terminal::open(bench, &["-q"])?;
            terminal.write(&format!("{} answer\n", bench.other("inside").display()))?;
            terminal.until("ready\r\n")?;
            terminal.write("\x1a")?;
            terminal.until("Stopped")?;
            terminal.until("# ")?;
            terminal.write("fg\n")?;
            terminal.until("inside answer")?; // what it continues, the shell says first
            terminal.write("again\n")?;
            terminal.until("AGAIN")?; // the command's answer: it runs in the foreground now
            terminal.write("\x03")?;
            terminal.until("# ")?;
            terminal.write("echo af''ter $?\n")?;
            terminal.until("after 130")?;
            terminal.write("exit 5\n")?;
            let status = terminal.end()?;
            ensure!(
                status == 5,
                "after a job was stopped and continued, the shell's exit status was {status}, not 5"
            );
            // At the prompt of the shell, which ignores it.
            let mut terminal = Terminal::open(bench, &["-q"])?;
            terminal.write("echo rea''dy\n")?;
            terminal.until("ready\r\n")?;
            terminal.until("# ")?;
            // A shell that edits its line itself shows no key that is a signal (bash), or takes
            // Ctrl-Z as a key like others (busybox).
            let is_shown = terminal.flags()?.contains(LocalFlags::ISIG | LocalFlags::ECHO);
            terminal.write("\x1a")?;
            if is_shown {
                terminal.until("^Z")?; // keys typed before it are lost
            }
            terminal.write("exit 6\n")?;
            let status = terminal.end()?;
            ensure!(status == 6, "the shell's exit status was {status}, not 6");
            holds()
        },
    ),
    Check::new(
        3,
        "a Ctrl-C that the terminal has sent is not sent again",
        "the terminal has sent Ctrl-C to the whole foreground group, so the command has it \
         already: do not send it again (so no kill(2) is needed here, and the kernel refuses it)",
        |bench| {
            // Where the kernel refuses every signal that a process sends, a parent that sends none
            // notices nothing.
            let script = "trap 'echo heard' INT; echo ready
                          until [ -e stop ]; do sleep 0.02; done; exit 5";
            let typed = bench.script(script).under(&["sh", "-mc", "\"$0\" \"$@\"; exit $?"]);
            let no_signals = refuse(&[libc::SYS_kill, libc::SYS_pidfd_send_signal], Errno::EPERM)?;
            let mut terminal = Terminal::of_leader(typed.with(no_signals))?;
            terminal.until("ready\r\n")?;
            let stage = *children_of(terminal.pid())?.first().context("the shell has no child")?;
            terminal.write("\x03")?;
            terminal.until("heard\r\n")?;
            until_heard(stage, bench.bound)?;
            fs::write(bench.folder.join("stop"), "")?;
            let status = terminal.end()?;
            ensure!(status == 5, "the exit status was {status}, not 5");
            holds()
        },
    )
    .until(8, "from there on a container is on a terminal only with -t"),
    Check::new(
        3,
        "a Ctrl-C in a pipeline is passed on",
        "in a pipeline the terminal is not lent to the command: its Ctrl-C reaches the parent \
         only, which must pass it on",
        |bench| {
            let script = "trap 'echo heard >&2; exit 4' INT; echo ready >&2
                          while :; do sleep 0.02; done";
            let words = ["-q", "--", "sh", "-c", script];
            let mut terminal = Terminal::of_words(bench.stage(words), "\"$0\" \"$@\" | cat")?;
            terminal.until("ready\r\n")?;
            terminal.write("\x03")?;
            terminal.until("heard\r\n")?;
            let _ = terminal.end()?;
            holds()
        },
    )
    .until(8, "from there on a container is on a terminal only with -t"),
    Check::new(
        3,
        "a signal of another process is passed on, on a terminal too",
        "only what is typed reaches the command by itself: pass on what another process sends",
        |bench| {
            let script = "trap 'echo heard; exit 9' TERM; echo ready; while :; do sleep 0.02; done";
            let words = ["-q", "--", "sh", "-c", script];
            let mut terminal = Terminal::of_leader(bench.stage(words))?;
            terminal.until("ready\r\n")?;
            kill(terminal.pid(), Signal::SIGTERM)?;
            terminal.until("heard\r\n")?;
            let status = terminal.end()?;
            ensure!(status == 9, "the exit status was {status}, not 9");
            let mut terminal = Terminal::of(bench.stage(words))?;
            terminal.until("ready\r\n")?;
            let stage = *children_of(terminal.pid())?.first().context("the shell has no child")?;
            kill(stage, Signal::SIGTERM)?;
            terminal.until("heard\r\n")?;
            let status = terminal.end()?;
            ensure!(status == 9, "the exit status was {status}, not 9");
            holds()
        },
    )
    .until(8, "from there on a container is on a terminal only with -t"),
];
