//! Chapter 11: `exec` has its command's signals, terminal and end.

use std::{thread, time::Duration};

use anyhow::ensure;
use nix::sys::signal::Signal;

use crate::{
    checks::{Check, holds},
    host::nobody_stays,
    named::{call, container, exec, nobody_stays_but},
    patience,
    terminal::{Terminal, is_interrupted},
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        11,
        "exec gives back the command's status, and passes signals on",
        "CLONE_PARENT makes the command a child of exec itself, which can wait for it as for any \
         child",
        |bench| {
            let running = container(bench, "box", &[])?;
            exec(bench, &["box"], "exit 7").finish()?.must_end_with(7)?;
            exec(bench, &["box"], "kill -TERM $$").finish()?.must_end_with(143)?;
            let not_found = call(bench, &["exec", "-q", "box", "--", "no-such-command"])
                .finish()?
                .must_end_with(127)?;
            not_found.must_complain(&["inside: exec no-such-command", "not found"])?;
            call(bench, &["exec", "-q", "box", "--", "/etc"]).finish()?.must_end_with(126)?;
            exec(bench, &["-i", "box"], "cat")
                .input("through\n")
                .finish()?
                .must_end_with(0)?
                .must_write("through\n")?;
            exec(bench, &["box"], "cat")
                .input("not through\n")
                .finish()?
                .must_end_with(0)?
                .must_write("")?;
            // No PID 1: the signal itself arrives, with a handler or without.
            for (signal, script, status) in [
                (
                    Signal::SIGTERM,
                    "trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done",
                    5,
                ),
                (Signal::SIGTERM, "echo ready; exec sleep 1000", 143),
                (
                    Signal::SIGUSR1,
                    "trap 'exit 6' USR1; echo ready; while :; do sleep 0.01; done",
                    6,
                ),
            ] {
                let mut inside = exec(bench, &["box"], script).start()?;
                inside.until("ready\n")?;
                inside.signal(signal)?;
                inside.finish()?.must_end_with(status)?;
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        11,
        "exec -t has the terminal, and gives it back",
        "the command leads the terminal's foreground process group while it runs, and its parent \
         takes the terminal back afterwards",
        |bench| {
            let running = container(bench, "box", &["--rootfs", "/"])?;
            let inside = bench.other("inside").display().to_string();
            let _ =
                is_interrupted(bench, Terminal::of(call(bench, &["exec", "-q", "-ti", "box"]))?)?;
            // A Ctrl-C is the command's, and its end is exec's.
            let mut terminal =
                Terminal::of(call(bench, &["exec", "-q", "-ti", "box", "--", &inside, "answer"]))?;
            terminal.until("ready\r\n")?;
            terminal.write("\x03")?;
            let status = terminal.end()?;
            ensure!(status == 130, "the exit status was {status}, not 130");
            // One that leads the session, as under ssh -t: nothing is lent, and nothing is taken.
            let mut terminal = Terminal::of_leader(call(
                bench,
                &["exec", "-q", "-ti", "box", "--", &inside, "answer"],
            ))?;
            terminal.until("ready\r\n")?;
            terminal.write("word\n")?;
            terminal.until("WORD")?;
            terminal.write("\x04")?;
            let status = terminal.end()?;
            ensure!(status == 0, "the exit status was {status}, not 0");
            let none = call(bench, &["exec", "-t", "box"]).finish()?.must_end_with(2)?;
            none.must_complain(&["-t: standard input is no terminal"])?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        11,
        "exec ends with its command, though what it has left behind writes on",
        "after the command's end, read what the pipe holds and no more: another process may have \
         it open, and write without end",
        |bench| {
            let running = container(bench, "box", &[])?;
            let ended =
                exec(bench, &["box"], "yes & echo up; exit 3").finish()?.must_end_with(3)?;
            ensure!(ended.text().contains("up\n"), "what the command wrote is lost");
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        11,
        "what exec started ends with the container, and with exec",
        "a process ends with PID 1 of its PID namespace; that it also ends with exec, it must ask \
         the kernel for (PR_SET_PDEATHSIG)",
        |bench| {
            let running = container(bench, "box", &[])?;
            let mut inside = exec(bench, &["box"], "echo ready; exec sleep 1000").start()?;
            inside.until("ready\n")?;
            running.release()?.must_end_with(0)?;
            inside.finish()?.must_end_with(137)?;

            let running = container(bench, "box", &[])?;
            let list = || {
                anyhow::Ok(
                    exec(bench, &["box"], "echo /proc/[0-9]*").finish()?.must_end_with(0)?.text(),
                )
            };
            let count = |list: &str| list.split_whitespace().count();
            let before = list()?;
            for milliseconds in [0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 30] {
                let inside = exec(bench, &["box"], "exec sleep 1000").start()?;
                thread::sleep(patience(Duration::from_millis(milliseconds)));
                inside.signal(Signal::SIGKILL)?;
                inside.finish()?.must_end_with(137)?;
            }
            // Their parent is outside: what is left of them, the judge must reap.
            nobody_stays_but(&running)?;
            ensure!(
                count(&list()?) == count(&before),
                "in the container: {} instead of {before}",
                list()?
            );
            running.release()?.must_end_with(0)?;
            nobody_stays()?;
            holds()
        },
    )
    .not_in_the_workshop(),
];
