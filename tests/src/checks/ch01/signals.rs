//! Chapter 1: a parent that gets a signal, or is killed.

use std::{thread::sleep, time::Duration};

use anyhow::{Context, ensure};
use nix::{errno::Errno, sys::signal::Signal, unistd::Pid};

use crate::{
    Bench,
    bench::Running,
    checks::{Check, holds},
    host::nobody_stays,
    patience, process,
    seccomp::refuse_prctl,
    slow,
    terminal::{Terminal, is_interrupted},
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        1,
        "Ctrl-C ends what runs in the shell, not the shell",
        "a terminal sends SIGINT to the whole foreground group: the parent must survive it, to \
         wait for its child",
        |bench| {
            // A command that has a handler decides itself how it ends.
            if bench.stage < 3 {
                let script = "trap 'exit 5' INT; echo ready; while :; do sleep 0.02; done";
                let mut terminal = Terminal::open(bench, &["-q", "--", "sh", "-c", script])?;
                terminal.until("ready\r\n")?;
                terminal.write("\x03")?;
                let status = terminal.end()?;
                ensure!(status == 5, "the command's handler ends it with 5, and it was {status}");
            }
            is_interrupted(bench, Terminal::open(bench, &["-q"])?)
        },
    ),
    Check::new(
        1,
        "Ctrl-C in the command's first moments does not end the stage either",
        "the command may run before its parent goes on: what the parent does about SIGINT, it must \
         do before it makes the child",
        |bench| {
            // To the parent alone: what the terminal would send to both.
            let script = bench.script("kill -INT $PPID; exit 5");
            let Some(running) = slow::start(script)? else {
                return Ok(slow::skipped());
            };
            slow::hold_back(running.pid(), bench.bound)?;
            running.finish()?.must_end_with(5)?;
            holds()
        },
    )
    .until(3, "the command does not see its parent"),
    Check::new(
        1,
        "Ctrl-C ends a command without a handler",
        "PID 1 without a handler does not get SIGINT: send it SIGKILL, or the terminal hangs",
        |bench| {
            // Not a shell that becomes sleep: between the two a dash catches SIGINT, and forgets
            // it.
            let inside = bench.other("inside").display().to_string();
            let mut terminal = Terminal::open(bench, &["-q", "--", &inside, "answer"])?;
            terminal.until("ready\r\n")?;
            terminal.write("\x03")?;
            let status = terminal.end()?;
            let expected = if bench.stage < 3 { 130 } else { 137 };
            ensure!(status == expected, "the exit status was {status}, not {expected}");
            holds()
        },
    ),
    Check::new(
        1,
        "a terminal that is closed ends what runs on it",
        "when a terminal closes, the kernel sends SIGHUP to the leader of the session only. If the \
         runtime is the leader (xterm -e, ssh -t), it must end its command or pass the signal on",
        |bench| {
            for words in forms(bench) {
                let run = [&words[..], &["sh", "-c", "echo ready; exec sleep 1000"]].concat();
                let mut terminal = Terminal::of_leader(bench.run(&bench.binary, run))?;
                terminal.until("ready\r\n")?;
                ensure!(
                    terminal.hang_up()?,
                    "{words}: it runs on without its terminal",
                    words = told(&words)
                );
                nobody_stays().with_context(|| told(&words))?;
            }
            holds()
        },
    ),
    Check::new(
        1,
        "SIGTERM or SIGHUP to the parent ends both",
        "a parent that a signal has ended cannot end its child: let the child call prctl(2) with \
         PR_SET_PDEATHSIG first of all",
        |bench| {
            for signal in [Signal::SIGTERM, Signal::SIGHUP] {
                let (running, _) = sleeping(bench)?;
                running.signal(signal)?;
                // From 3 on it passes the signal on, and a PID 1 without a handler is killed.
                let status = if bench.stage < 3 {
                    128 + signal as i32
                } else {
                    137
                };
                running.finish()?.must_end_with(status)?;
                nobody_stays()?;
            }
            holds()
        },
    ),
    Check::new(
        1,
        "SIGKILL of the parent at any moment leaves nothing",
        "prctl(2) with PR_SET_PDEATHSIG and SIGKILL makes the kernel end the child with its \
         parent. After the call, check that the parent still exists",
        |bench| {
            for microseconds in [0, 200, 500, 1000, 1500, 2000, 2500, 3000, 4000, 6000, 9000, 15000]
            {
                let running = bench.stage(["sleep", "1000"]).start()?;
                sleep(patience(Duration::from_micros(microseconds)));
                running.signal(Signal::SIGKILL)?;
                running.finish()?.must_end_with(137)?;
                nobody_stays()?;
            }
            // Nor does a command that ignores what can be ignored.
            let ignored = "trap '' HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM
                echo ready; exec sleep 1000";
            let mut running = bench.script(ignored).start()?;
            running.until("ready")?;
            running.signal(Signal::SIGKILL)?;
            running.finish()?.must_end_with(137)?;
            holds()
        },
    ),
    Check::new(
        1,
        "a child that cannot ask to end with its parent is not started",
        "the child needs prctl(2) with PR_SET_PDEATHSIG: return its error, or a parent that is \
         killed leaves its command behind",
        |bench| {
            bench
                .stage(["echo", "ran"])
                .with(refuse_prctl(libc::PR_SET_PDEATHSIG, Errno::EPERM)?)
                .finish()?
                .must_end_with(125)?
                .must_complain(&["Operation not permitted"])?
                .must_write("")?;
            holds()
        },
    )
    .until(3, "from there on the parent may notice first that its child has ended"),
];

/// The stage's words before its command, in all the ways in which it can have a terminal.
fn forms(bench: &Bench) -> Vec<Vec<&'static str>> {
    if bench.stage < 8 {
        return vec![vec!["-q", "--"]];
    }
    let rootfs: &[&str] = if bench.stage < 9 {
        &[]
    } else {
        &["--rootfs", "/"]
    };
    let of_terminal = [&[][..], &["-i"], &["-t"], &["-ti"]];
    let with = |init: &[&'static str]| {
        let form =
            |given: &&[&'static str]| [&["run", "-q"], *given, init, rootfs, &["--"]].concat();
        of_terminal.iter().map(form).collect::<Vec<_>>()
    };
    [with(&[]), with(&["--init"])].concat()
}

/// Starts `sleep`, and returns the run and the pid of the process that sleeps.
pub(in crate::checks) fn sleeping(bench: &Bench) -> anyhow::Result<(Running, Pid)> {
    let mut running = bench.script("echo ready; exec sleep 1000").start()?;
    running.until("ready")?;
    let child = running.command()?;
    // The shell has written, and is about to become sleep.
    while process::name(child) != "sleep" {
        sleep(Duration::from_millis(1));
    }
    Ok((running, child))
}
