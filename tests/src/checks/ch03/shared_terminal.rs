//! Chapter 3: a terminal that others have, too, or that is left as it is.

use std::time::Duration;

use anyhow::ensure;
use nix::sys::signal::{Signal, kill};

use crate::{
    Bench,
    checks::{Check, holds},
    patience,
    process::wait_for_end,
    terminal::Terminal,
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        3,
        "in a pipeline the stage leaves the terminal to the others",
        "all programs of a pipeline share the foreground. If the stage takes it for its child, the \
         kernel stops the others (`| less` gets SIGTTIN): lend the terminal only if no other \
         program uses it",
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
        "SIGTTIN stops a process that reads the terminal from the background, but it does not stop \
         a PID 1: the read(2) restarts for ever. With SIGTTIN ignored, the read fails with EIO",
        |bench| {
            let words = [tty(bench), &["-q", "--", "cat"]].concat();
            let script = "\"$0\" \"$@\" & wait $!; echo it has ended with $?";
            let mut terminal = Terminal::of_words(bench.stage(words), script)?;
            terminal.until("it has ended with 1\r\n")?;
            let _ = terminal.end()?;
            holds()
        },
    )
    .until(12, "from there on the stage reads the terminal, and it can be stopped"),
    Check::new(
        3,
        "the terminal's settings are what they were after a command that was killed",
        "a program that changes the terminal's settings restores them at its end, unless it is \
         killed: then the parent must restore them",
        |bench| {
            let script = "stty -echo -icanon; echo ready; exec sleep 1000";
            let words = [tty(bench), &["-q", "--", "sh", "-c", script]].concat();
            for on_terminal in [Terminal::of, Terminal::of_leader] {
                let mut terminal = on_terminal(bench.stage(words.clone()))?;
                let before = terminal.first_flags();
                terminal.until("ready\r\n")?;
                ensure!(terminal.flags()? != before, "stty did nothing");
                kill(terminal.lowest()?, Signal::SIGKILL)?;
                let ended = wait_for_end(terminal.pid(), patience(Duration::from_secs(5)))?;
                let after = terminal.flags()?;
                ensure!(ended, "its command was killed, and it runs on");
                let status = terminal.end()?;
                ensure!(status == 137, "the exit status was {status}, not 137");
                ensure!(
                    after == before,
                    "the settings were {before}, and are {after}",
                    before = told(&before),
                    after = told(&after)
                );
            }
            holds()
        },
    ),
];

/// The option that passes the terminal on, where the stage has one.
fn tty(bench: &Bench) -> &'static [&'static str] {
    if bench.stage < 8 { &[] } else { &["-t"] }
}
