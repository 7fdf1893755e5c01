//! Chapter 12: the terminal of a container is not the caller's.

use anyhow::{Context, ensure};
use nix::unistd::Pid;

use super::looks::{Device, all_below, must_not_have};
use crate::{
    bench::Run,
    checks::{Check, holds},
    named::{call, container, container_that, exec},
    process::children_of,
    terminal::{Terminal, is_interrupted},
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        12,
        "nothing of your terminal is inside",
        "give the command a pty's slave on 0, 1 and 2, in a session of its own: a descriptor of \
         your terminal, or the session's terminal, reads and types there",
        |bench| {
            let script = "echo ready; read word; echo \"read $word\"; exit 5";
            let running = container(bench, "box", &["--rootfs", "/"])?;
            let runs: [&[&str]; 5] = [
                &["run", "-q", "-ti", "--rootfs", "/"],
                &["run", "-q", "-ti", "--init", "--rootfs", "/"],
                &["run", "-q", "-ti"],
                &["exec", "-q", "-ti", "box"],
                &["exec", "-q", "-ti", "--target", &running.command()?.to_string(), "--all"],
            ];
            for words in runs {
                let words = [words, &["--", "sh", "-c", script]].concat();
                let mut terminal = Terminal::of(call(bench, &words))?;
                terminal.until("ready\r\n")?;
                let outside = Device::of_terminal(terminal.pid())?;
                let inside: Vec<Pid> = all_below(terminal.pid())?;
                ensure!(!inside.is_empty(), "{words}: nobody is inside", words = told(&words));
                for pid in &inside {
                    must_not_have(*pid, &outside).with_context(|| told(&words))?;
                }
                terminal.write("word\n")?;
                terminal.until("read word\r\n")?;
                let status = terminal.end()?;
                ensure!(status == 5, "the exit status was {status}, not 5");
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        12,
        "the terminal inside has a name inside",
        "open the pty in the container's own devpts: ttyname(3) and /dev/tty find it there, and \
         no other terminal of the machine",
        |bench| {
            let script = "ls /dev/pts; readlink /proc/self/fd/0; stat -c %u /dev/pts/0
                          echo to >/dev/tty; exit 5";
            let own = ["0", "ptmx", "/dev/pts/0", "0", "to"];
            let running = container(bench, "box", &["-q"])?;
            let runs: [(&[&str], &[&str]); 3] = [
                (&["run", "-q", "-ti"], &own),
                (&["run", "-q", "-ti", "--init"], &own),
                (&["exec", "-q", "-ti", "box"], &own),
            ];
            for (words, expected) in runs {
                let words = [words, &["--", "sh", "-c", script]].concat();
                let mut terminal = Terminal::of(call(bench, &words))?;
                let shown = terminal.until("to\r\n")? + "to";
                let lines: Vec<&str> = shown.split_whitespace().collect();
                ensure!(lines == expected, "{words}: {shown}", words = told(&words));
                let status = terminal.end()?;
                ensure!(status == 5, "the exit status was {status}, not 5");
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        12,
        "nobody inside can type into your shell",
        "a process types on its session's terminal, or on any with CAP_SYS_ADMIN (TIOCSTI): the \
         container must have neither. (Where dev.tty.legacy_tiocsti is 0, nobody can)",
        |bench| {
            let typist = bench.other("inside").display().to_string();
            let running = container(bench, "box", &["--rootfs", "/"])?;
            for words in [&["run", "-q", "-ti", "--rootfs", "/"][..], &["exec", "-q", "-ti", "box"]]
            {
                let words = [words, &["--", &typist, "type", "stolen\n"]].concat();
                let shell = "\"$0\" \"$@\"; echo at the prompt
                             while read line; do echo \"heard $line.\"
                             [ \"$line\" != end ] || exit 6; done";
                let mut terminal = Terminal::of_words(call(bench, &words), shell)?;
                terminal.until("at the prompt")?;
                terminal.write("end\n")?;
                let heard = terminal.until("heard end.")?;
                ensure!(!heard.contains("heard"), "the shell has {heard}", heard = told(&heard));
                let status = terminal.end()?;
                ensure!(status == 6, "the shell's exit status was {status}, not 6");
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    )
    .privileged(),
    Check::new(
        12,
        "what exec -t has left behind has no terminal",
        "close the master at the end: the kernel then hangs the slave up for all that have it \
         open, and none of them had another terminal",
        |bench| {
            let running = container(bench, "box", &["-q"])?;
            let left = "trap '' HUP
                        (while read -r word; do echo $word >>/stolen; done
                         echo \"hung up\" >/end; exec sleep 1000) </dev/tty &
                        sleep 0.05; exit 0";
            let words = ["exec", "-q", "-ti", "box", "--", "sh", "-c", left];
            let shell = "\"$0\" \"$@\"; echo at the prompt
                         while read line; do echo \"heard $line.\"
                         [ \"$line\" != end ] || exit 6; done";
            let mut terminal = Terminal::of_words(call(bench, &words), shell)?;
            terminal.until("at the prompt")?;
            let outside = Device::of_terminal(terminal.pid())?;
            for pid in all_below(running.pid())? {
                must_not_have(pid, &outside)?;
            }
            for line in ["one", "two", "end"] {
                terminal.write(&format!("{line}\n"))?;
                terminal.until(&format!("heard {line}."))?;
            }
            let status = terminal.end()?;
            ensure!(status == 6, "the shell's exit status was {status}, not 6");
            let look = "until [ -e /end ]; do sleep 0.02; done; cat /stolen 2>/dev/null; cat /end";
            exec(bench, &["box"], look)
                .finish()?
                .must_end_with(0)?
                .must_write("hung up\n")?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        12,
        "a /dev/pts that the container has made cannot hang or lead exec -t",
        "look the ptmx up in the container's root, follow no link, and open only what is a ptmx of \
         a devpts: root inside can put anything there",
        |bench| {
            for trap in [
                "mkfifo -m 666 /dev/pts/ptmx",
                "ln -s /dev/null /dev/pts/ptmx",
                "ln -s /proc/1/root/dev/ptmx /dev/pts/ptmx",
                "echo text >/dev/pts/ptmx; chmod 666 /dev/pts/ptmx",
                ":",
            ] {
                let script =
                    format!("mount -t tmpfs none /dev/pts && {{ {trap}; }} && echo up; cat");
                let running = container_that(bench, "box", &["-q"], &script)?;
                let words = ["exec", "-q", "-ti", "box", "--", "sh", "-c", "test -t 0 && echo ran"];
                let mut terminal = Terminal::of(call(bench, &words))?;
                terminal.until("ran\r\n").with_context(|| trap)?;
                let status = terminal.end()?;
                ensure!(status == 0, "{trap}: the exit status was {status}, not 0");
                running.release()?.must_end_with(0)?;
            }
            holds()
        },
    )
    .privileged(),
    Check::new(
        12,
        "Ctrl-C, Ctrl-Z and Ctrl-D work inside, and the shell inside has job control",
        "make your terminal raw: the pty's slave then makes the signals, for its own foreground. \
         A shell controls jobs if the slave is its session's terminal (TIOCSCTTY)",
        |bench| {
            let inside = bench.other("inside").display().to_string();
            let running = container(bench, "box", &["--rootfs", "/"])?;
            for words in [
                &["run", "-q", "-ti", "--rootfs", "/"][..],
                &["run", "-q", "-ti", "--init", "--rootfs", "/"],
                &["exec", "-q", "-ti", "box"],
            ] {
                let _ = is_interrupted(bench, on_signal(call(bench, words))?)?;
                let mut terminal = on_signal(call(bench, words))?;
                let before = terminal.until("# ")?;
                ensure!(!before.contains("job control"), "{before}", before = told(&before));
                terminal.write(&format!("{inside} answer\n"))?;
                terminal.until("ready\r\n")?;
                terminal.write("\x1a")?;
                terminal.until("Stopped")?;
                terminal.write("echo wo''rd; fg\n")?;
                terminal.until("word\r\n")?;
                terminal.until("inside answer\r\n")?;
                terminal.write("again\n\x04")?;
                terminal.until("AGAIN\r\n")?;
                terminal.write("exit 5\n")?;
                let status = terminal.end()?;
                ensure!(status == 5, "the shell's exit status was {status}, not 5");
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
];

/// A terminal whose shell would write that it has heard a signal of a key.
fn on_signal(run: Run) -> anyhow::Result<Terminal> {
    let shell = "trap 'echo outside; exit 9' INT QUIT TSTP; \"$0\" \"$@\"; exit $?";
    Terminal::of_words(run, shell)
}

/// The stage below a shell on a terminal.
pub(super) fn stage_of(terminal: &Terminal) -> anyhow::Result<Pid> {
    children_of(terminal.pid())?.first().copied().context("the shell has no child")
}

/// The keeper below it.
pub(super) fn keeper_of(terminal: &Terminal) -> anyhow::Result<Pid> {
    children_of(stage_of(terminal)?)?.first().copied().context("it has no keeper")
}
