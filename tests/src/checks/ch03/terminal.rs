//! Chapter 3: whose is the terminal?

use anyhow::ensure;
use nix::sys::termios::LocalFlags;

use crate::{
    checks::{Check, holds},
    terminal::Terminal,
};

pub(super) const CHECKS: &[Check] = &[Check::new(
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
)];
