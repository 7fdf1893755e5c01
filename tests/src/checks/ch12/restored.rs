//! Chapter 12: your terminal while a container has one of its own, and afterwards.

use std::{thread::sleep, time::Duration};

use anyhow::{Context, ensure};
use nix::{
    sys::{
        signal::{Signal, kill, killpg},
        termios::Termios,
    },
    unistd::getpgid,
};

use super::{
    looks::all_below,
    pty::{keeper_of, stage_of},
};
use crate::{
    bench::Run,
    checks::{Check, holds},
    host::nobody_stays,
    named::{call, container, nobody_stays_but},
    patience, process,
    terminal::Terminal,
    told,
};

/// What the shell on the terminal does: the settings can be looked at before it ends.
const SHELL: &str = "\"$0\" \"$@\"; echo it has ended with $?; read word; exit 6";

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        12,
        "your terminal is set back, however a container with a pty ends",
        "raw mode outlives the process that began it: the process that copies ends it, and its \
         parent does if that one was killed",
        |bench| {
            let waits = "echo ready; exec sleep 1000";
            let run = |options: &[&str], script: &str| {
                let words = [&["run", "-q", "-ti"], options, &["--rootfs", "/", "--"]].concat();
                call(bench, &[&words[..], &["sh", "-c", script]].concat())
            };
            let ended = "echo ready; read word; exit 0";
            is_set_back(run(&[], ended), 0, |terminal| terminal.write("word\n"))?;
            // The command's own settings are the pty's.
            let own = "stty raw -echo; printf 'ready\\r\\n'; head -c 1 >/dev/null; exit 0";
            is_set_back(run(&[], own), 0, |terminal| terminal.write("word\n"))?;
            for options in [&[][..], &["--init"]] {
                is_set_back(run(options, waits), 137, |terminal| {
                    Ok(kill(terminal.lowest()?, Signal::SIGKILL)?)
                })?;
                is_set_back(run(options, waits), 125, |terminal| {
                    Ok(kill(keeper_of(terminal)?, Signal::SIGKILL)?)
                })?;
                is_set_back(run(options, waits), 137, |terminal| {
                    Ok(kill(stage_of(terminal)?, Signal::SIGKILL)?)
                })?;
            }
            is_set_back(run(&[], waits), 137, |terminal| {
                Ok(kill(stage_of(terminal)?, Signal::SIGTERM)?)
            })?;
            holds()
        },
    ),
    Check::new(
        12,
        "your terminal is as it was after a start that failed, and after exec -t",
        "set it back on each way out, errors too",
        |bench| {
            let running = container(bench, "box", &["--rootfs", "/"])?;
            for (words, status) in [
                (&["run", "-q", "-ti", "--rootfs", "/", "--", "no-such-command"][..], 127),
                (&["run", "-q", "-ti", "--rootfs", "/", "--", "/etc"], 126),
                (&["exec", "-q", "-ti", "box", "--", "no-such-command"], 127),
                (&["exec", "-q", "-ti", "--workdir", "/none", "box", "--", "true"], 125),
                (&["exec", "-q", "-ti", "nobody", "--", "true"], 125),
            ] {
                let mut terminal = Terminal::of_words(call(bench, words), SHELL)?;
                let before = terminal.first_settings();
                terminal.until(&format!("it has ended with {status}\r\n"))?;
                must_be_as(&terminal, &before).with_context(|| told(&words))?;
                terminal.write("word\n")?;
                let _ = terminal.end()?;
            }
            let words = ["exec", "-q", "-ti", "box", "--", "sh", "-c", "echo ready; sleep 1000"];
            is_set_back_but(call(bench, &words), 143, |terminal| {
                Ok(kill(terminal.lowest()?, Signal::SIGTERM)?)
            })?;
            nobody_stays_but(&running)?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        12,
        "a container on a pty gets the size of your terminal, and each new one",
        "copy the size when you make the pty, and again whenever SIGWINCH comes",
        |bench| {
            let script = "trap 'stty size </dev/tty' WINCH; stty size </dev/tty
                          while :; do sleep 0.02; done";
            let running = container(bench, "box", &["--rootfs", "/"])?;
            for words in [
                &["run", "-q", "-ti", "--rootfs", "/"][..],
                &["run", "-q", "-t", "--rootfs", "/"],
                &["exec", "-q", "-ti", "box"],
            ] {
                let words = [words, &["--", "sh", "-c", script]].concat();
                let shell = "stty rows 33 cols 101; \"$0\" \"$@\"; exit $?";
                let mut terminal = Terminal::of_words(call(bench, &words), shell)?;
                terminal.until("33 101\r\n").with_context(|| told(&words))?;
                for (rows, columns) in [(50, 120), (7, 20)] {
                    terminal.resize(rows, columns)?;
                    let size = format!("{rows} {columns}\r\n");
                    terminal.until(&size).with_context(|| told(&words))?;
                }
                let inside = all_below(terminal.pid())?;
                kill(*inside.first().context("nobody is inside")?, Signal::SIGKILL)?;
                let status = terminal.end()?;
                ensure!(status == 137, "the exit status was {status}, not 137");
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        12,
        "a container on a pty in the background stops, and goes on in the foreground",
        "a program in the background that sets or reads the terminal is stopped (SIGTTOU, \
         SIGTTIN), as every other job: let it, and do what it missed when it goes on (SIGCONT)",
        |bench| {
            let words = ["run", "-q", "-ti", "--rootfs", "/", "--", "cat"];
            let shell = "\"$0\" \"$@\" & read word; echo \"heard $word.\"; fg
                         stty sane; echo it has stopped; fg; exit $?";
            let mut terminal = Terminal::of_words(call(bench, &words), shell)?;
            let before = terminal.first_settings();
            for _ in 0..500 {
                if stage_of(&terminal).is_ok_and(|stage| process::state(stage) == Some('T')) {
                    break;
                }
                sleep(Duration::from_millis(10));
            }
            let stage = stage_of(&terminal)?;
            ensure!(process::state(stage) == Some('T'), "in the background it runs on");
            must_be_as(&terminal, &before)?;
            terminal.write("word\n")?;
            terminal.until("heard word.")?;
            must_change(&terminal, &before)?; // typed earlier, it would be shown once more
            terminal.write("one\n")?;
            terminal.until("one\r\none\r\n")?; // the echo, and cat's
            // Stopped in the foreground, it has to make the terminal raw again.
            let raw = terminal.settings()?;
            killpg(getpgid(Some(stage))?, Signal::SIGSTOP)?;
            terminal.until("it has stopped")?;
            must_be_as(&terminal, &raw)?;
            terminal.write("two\n")?;
            terminal.until("two\r\ntwo\r\n")?;
            terminal.write("\x04")?;
            let status = terminal.end()?;
            ensure!(status == 0, "the exit status was {status}, not 0");
            holds()
        },
    ),
    Check::new(
        12,
        "a long paste and a long output arrive whole through a pty",
        "a pty holds a few kilobytes. Write as much as it takes, and go on when it takes more; \
         after the command's end, read what is left in it",
        |bench| {
            let script = "stty -echo -icanon; echo ready; head -c 300000 | cksum; seq 1 30000";
            let words = ["run", "-q", "-ti", "--rootfs", "/", "--", "sh", "-c", script];
            let mut terminal = Terminal::of(call(bench, &words))?;
            terminal.until("ready\r\n")?;
            let line = "0123456789abcdef0123456789abcde\n";
            for _ in 0..300_000 / line.len() + 1 {
                terminal.write(line)?;
            }
            let paste: String = line.chars().cycle().take(300_000).collect();
            let sum = bench.run("cksum", [""; 0]).input(paste).finish()?.must_end_with(0)?.text();
            terminal.until(&sum.replace('\n', "\r\n"))?;
            let numbers = terminal.until("\r\n30000\r\n")?;
            let count = numbers.split_whitespace().count();
            ensure!(count == 29_999, "{count} lines came before the last");
            let status = terminal.end()?;
            ensure!(status == 0, "the exit status was {status}, not 0");
            holds()
        },
    ),
    Check::new(
        12,
        "with -t, a stream that is no terminal stays one, and -t alone reads nothing",
        "replace only what is your terminal: a file or a pipe on standard output is not on the \
         pty. Without -i the input is empty, with -t too",
        |bench| {
            let script = "for fd in 0 1 2; do test -t $fd && echo $fd >&2; done; cat; echo out";
            let words = ["run", "-q", "-t", "--rootfs", "/", "--", "sh", "-c", script];
            let shell = "\"$0\" \"$@\" >output; echo ended $?; cat output; read word; exit 6";
            let mut terminal = Terminal::of_words(call(bench, &words), shell)?;
            let before = terminal.first_settings();
            terminal.write("word\n")?;
            let shown = terminal.until("ended 0\r\nout\r\n")?;
            ensure!(shown == "word\r\n2\r\n", "it shows {shown}", shown = told(&shown));
            must_be_as(&terminal, &before)?;
            let status = terminal.end()?;
            ensure!(status == 6, "the shell's exit status was {status}, not 6");
            holds()
        },
    ),
];

/// The run says `ready` on a raw terminal; when it has ended with `status`, because of `how`, the
/// terminal is as it was, and nobody stays.
fn is_set_back(
    run: Run,
    status: i32,
    how: impl FnOnce(&mut Terminal) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    is_set_back_but(run, status, how)?;
    nobody_stays()
}

fn is_set_back_but(
    run: Run,
    status: i32,
    how: impl FnOnce(&mut Terminal) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut terminal = Terminal::of_words(run, SHELL)?;
    let before = terminal.first_settings();
    terminal.until("ready\r\n")?;
    ensure!(terminal.settings()? != before, "the terminal is not raw");
    how(&mut terminal)?;
    terminal.until(&format!("it has ended with {status}"))?;
    must_be_as(&terminal, &before)?;
    terminal.write("word\n")?;
    let status = terminal.end()?;
    ensure!(status == 6, "the shell's exit status was {status}, not 6");
    Ok(())
}

/// The terminal soon has other settings.
fn must_change(terminal: &Terminal, from: &Termios) -> anyhow::Result<()> {
    for _ in 0..100 {
        if terminal.settings()? != *from {
            return Ok(());
        }
        sleep(patience(Duration::from_millis(10)));
    }
    anyhow::bail!("the terminal's settings stay as they are");
}

/// The terminal has these settings, or soon gets them from a process that goes on.
fn must_be_as(terminal: &Terminal, expected: &Termios) -> anyhow::Result<()> {
    for _ in 0..100 {
        if terminal.settings()? == *expected {
            return Ok(());
        }
        sleep(patience(Duration::from_millis(10)));
    }
    let after = terminal.settings()?;
    anyhow::bail!(
        "the settings are {after}, and not {expected}",
        expected = told(&expected.local_flags),
        after = told(&after.local_flags)
    )
}
