//! Chapter 3: whose is the terminal?

use std::time::Duration;

use anyhow::ensure;
use nix::sys::{
    signal::{Signal, kill},
    termios::LocalFlags,
};

use crate::{
    Bench,
    checks::{Check, holds},
    patience,
    process::wait_for_end,
    terminal::Terminal,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        3,
        "Ctrl-Z stops what runs in the shell, and nothing hangs",
        "a parent in the child's process group gets the child's Ctrl-Z too: it must not stop, \
         nobody would wake it",
        |bench| {
            let mut terminal = Terminal::open(bench, &["-q"])?;
            terminal.write(&format!("{} answer\n", bench.other("inside").display()))?;
            terminal.until("ready\r\n")?;
            terminal.write("\x1a")?;
            terminal.until("Stopped")?;
            terminal.until("# ")?;
            terminal.write("fg\n")?;
            terminal.until("inside answer")?; // the shell says what it continues; what follows is not for it
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
            // A shell that edits its line itself (bash, busybox) takes Ctrl-Z as a key like others.
            let is_signal = terminal.flags()?.contains(LocalFlags::ISIG);
            terminal.write("\x1a")?;
            if is_signal {
                terminal.until("^Z")?; // what is typed before the terminal has seen it would be lost
            }
            terminal.write("exit 6\n")?;
            let status = terminal.end()?;
            ensure!(status == 6, "the shell's exit status was {status}, not 6");
            holds()
        },
    ),
    Check::new(
        3,
        "in a pipeline the stage leaves the terminal to the others",
        "the foreground belongs to all programs of a pipeline together: whoever takes it for one \
         stops the others (`… | less` gets SIGTTIN); lend it only if nobody else has it",
        |bench| {
            let script = "echo hello; while echo more; do sleep 0.02; done 2>/dev/null; exit 0";
            let words = [tty(bench), &["-q", "--", "sh", "-c", script]].concat();
            let pipeline =
                "\"$0\" \"$@\" | { read word; read typed </dev/tty; echo $word and $typed; }";
            let mut terminal = Terminal::of_words(bench.stage(words), pipeline)?;
            terminal.write("typed\n")?;
            terminal.until("hello and typed")?;
            let status = terminal.end()?;
            ensure!(status == 0, "the pipeline's exit status was {status}, not 0");
            holds()
        },
    ),
    Check::new(
        3,
        "a PID 1 in the background that reads the terminal gets an error, and does not spin",
        "SIGTTIN stops who reads from the background, but no PID 1: its read(2) begins again and \
         again, for ever; where SIGTTIN is ignored, the read is an error (EIO)",
        |bench| {
            let words = [tty(bench), &["-q", "--", "cat"]].concat();
            let script = "\"$0\" \"$@\" & wait $!; echo it has ended with $?";
            let mut terminal = Terminal::of_words(bench.stage(words), script)?;
            terminal.until("it has ended with 1\r\n")?;
            let _ = terminal.end()?;
            holds()
        },
    ),
    Check::new(
        3,
        "the terminal's settings are what they were after a command that was killed",
        "a program that sets the terminal sets it back at its end; one that was killed cannot: \
         whoever lent the terminal does",
        |bench| {
            let script = "stty -echo -icanon; echo ready; exec sleep 1000";
            let words = [tty(bench), &["-q", "--", "sh", "-c", script]].concat();
            for on_terminal in [Terminal::of, Terminal::of_leader] {
                let mut terminal = on_terminal(bench.stage(words.clone()))?;
                let before = terminal.flags()?;
                terminal.until("ready\r\n")?;
                ensure!(terminal.flags()? != before, "stty did nothing");
                kill(terminal.lowest()?, Signal::SIGKILL)?;
                let ended = wait_for_end(terminal.pid(), patience(Duration::from_secs(5)))?;
                let after = terminal.flags()?;
                ensure!(ended, "its command was killed, and it runs on");
                let status = terminal.end()?;
                ensure!(status == 137, "the exit status was {status}, not 137");
                ensure!(after == before, "the settings were {before:?}, and are {after:?}");
            }
            holds()
        },
    ),
];

/// The option that passes the terminal on, where the stage has one.
fn tty(bench: &Bench) -> &'static [&'static str] {
    if bench.stage < 8 { &[] } else { &["-t"] }
}
