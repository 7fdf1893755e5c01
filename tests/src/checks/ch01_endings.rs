//! Chapter 1, how it ends: exit statuses, signals, a parent that is killed.

use std::{io::Write, os::unix::process::CommandExt, thread::sleep, time::Duration};

use anyhow::{Context, ensure};
use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    pty::openpty,
    sys::{
        signal::Signal,
        termios::{LocalFlags, tcgetattr},
    },
    unistd::{Pid, setsid},
};

use super::{Check, Outcome, holds};
use crate::{
    bench::{Bench, Run},
    patience,
    process::wait_for_end,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        1,
        "the exit status is the command's",
        "waitpid(2) returns the status: pass it on, 128+N for signal N",
        |bench| {
            for status in [0, 1, 7, 125, 255] {
                bench.script(&format!("exit {status}")).finish()?.must_end_with(status)?;
            }
            // A PID 1 cannot end itself by a signal (chapter 3), but its child can, and the shell
            // says how.
            if bench.stage < 3 {
                for signal in [Signal::SIGTERM, Signal::SIGKILL, Signal::SIGSEGV] {
                    bench
                        .script(&format!("kill -{} $$", signal as i32))
                        .finish()?
                        .must_end_with(128 + signal as i32)?;
                }
            }
            bench.script("sh -c 'kill -9 $$'; exit $?").finish()?.must_end_with(137)?;
            let run = bench.script("exit 5").with(|command| {
                // SAFETY: signal(2) is async-signal-safe, and SIG_IGN installs no handler.
                unsafe {
                    command.pre_exec(|| {
                        libc::signal(libc::SIGCHLD, libc::SIG_IGN);
                        Ok(())
                    });
                }
            });
            run.finish()?.must_end_with(5)?; // also for a caller that ignores SIGCHLD
            holds()
        },
    ),
    Check::new(
        1,
        "a signal to the parent ends the command, and both end",
        "whoever stops the runtime means the command: pass the signal on, wait for the pid, and \
         report how it ended",
        |bench| {
            for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
                let (running, _) = sleeping(bench)?;
                running.signal(signal)?;
                let heard = if bench.stage < 3 {
                    signal
                } else {
                    Signal::SIGKILL
                };
                running.finish()?.must_end_with(128 + heard as i32)?;
            }
            let mut running = bench
                .script("trap 'echo heard; exit 9' TERM; echo ready; while :; do sleep 0.1; done")
                .start()?;
            running.until("ready")?;
            running.signal(Signal::SIGTERM)?;
            running.finish()?.must_end_with(9)?.must_write("ready\nheard\n")?;
            holds()
        },
    ),
    Check::new(
        1,
        "a signal that comes together with the child's end does not replace its exit status",
        "a signal that is still pending when its block is lifted ends the parent: read it first, \
         it was the child's",
        |bench| {
            let mut running = bench.script("echo ready; read wait; exit 6").start_waiting()?;
            running.until("ready")?;
            let command = running.command()?;
            running.signal(Signal::SIGSTOP)?; // so the parent learns of both at once
            running.signal(Signal::SIGTERM)?;
            running.close_input();
            let ended = wait_for_end(command, patience(PATIENCE))?;
            running.signal(Signal::SIGCONT)?;
            ensure!(ended, "the command did not end");
            running.finish()?.must_end_with(6)?;
            holds()
        },
    ),
    Check::new(
        1,
        "Ctrl-C ends what runs in the shell, not the shell",
        "a terminal sends SIGINT to the whole foreground group: the parent must outlive it to wait \
         for its child",
        |bench| is_interrupted(bench, Terminal::open(bench, &["-q"])?),
    ),
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
            let is_signal = tcgetattr(&terminal.master)?.local_flags.contains(LocalFlags::ISIG);
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
        1,
        "Ctrl-C ends a command without a handler",
        "nobody may be left with a terminal that hangs: PID 1 without a handler hears SIGKILL only",
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
        "SIGKILL of the parent at any moment leaves nothing",
        "prctl(2) PR_SET_PDEATHSIG makes the kernel end the child with its parent; ask first, then \
         look whether the parent is still there",
        |bench| {
            for microseconds in [0, 200, 500, 1000, 1500, 2000, 2500, 3000, 4000, 6000, 9000, 15000]
            {
                let running = bench.stage(["sleep", "1000"]).start()?;
                sleep(patience(Duration::from_micros(microseconds)));
                running.signal(Signal::SIGKILL)?;
                running.finish()?.must_end_with(137)?;
                crate::host::nobody_stays()?;
            }
            let (running, _) = sleeping(bench)?;
            running.signal(Signal::SIGKILL)?;
            running.finish()?.must_end_with(137)?;
            holds()
        },
    ),
];

/// Starts `sleep`, and returns the run and the pid of the process that sleeps.
fn sleeping(bench: &Bench) -> anyhow::Result<(crate::bench::Running, Pid)> {
    let mut running = bench.script("echo ready; exec sleep 1000").start()?;
    running.until("ready")?;
    let child = running.command()?;
    // The shell has written, and is about to become sleep.
    while std::fs::read_to_string(format!("/proc/{child}/comm"))?.trim() != "sleep" {
        sleep(Duration::from_millis(1));
    }
    Ok((running, child))
}

/// How long a stage on a terminal may think before it answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// A run on a terminal of its own.
pub(super) struct Terminal {
    master: std::fs::File,
    child: std::process::Child,
    unread: String,
}

impl Terminal {
    fn open(bench: &Bench, arguments: &[&str]) -> anyhow::Result<Terminal> {
        let arguments = if bench.stage < 8 {
            arguments.to_vec()
        } else {
            [&["-t"], arguments].concat()
        };
        Terminal::of(bench.stage(arguments))
    }

    /// A terminal for this run.
    pub(super) fn of(run: Run) -> anyhow::Result<Terminal> {
        // Through a shell with job control, as when a person types it.
        Terminal::of_leader(run.under(&["sh", "-mc", "\"$0\" \"$@\"; exit $?"]))
    }

    /// A terminal for this run, which leads its session.
    pub(super) fn of_leader(run: Run) -> anyhow::Result<Terminal> {
        let pty = openpty(None, None).context("openpty")?;
        // A stage that had the master too would keep its own terminal from ever hanging up.
        for end in [&pty.master, &pty.slave] {
            fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))
                .context("close the terminal's ends on exec")?;
        }
        let slave = || anyhow::Ok(std::process::Stdio::from(pty.slave.try_clone()?));
        let run = run.with(|command| {
            // SAFETY: between fork and exec, setsid and ioctl are async-signal-safe.
            unsafe {
                command.pre_exec(|| {
                    setsid()?;
                    // Descriptor 0 becomes the controlling terminal of the new session.
                    nix::errno::Errno::result(libc::ioctl(0, libc::TIOCSCTTY, 0))?;
                    Ok(())
                });
            }
        });
        let child = run.start_on(slave()?, slave()?, slave()?)?;
        Ok(Terminal {
            master: pty.master.into(),
            child,
            unread: String::new(),
        })
    }

    pub(super) fn write(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.master.write_all(text.as_bytes())?)
    }

    /// Reads until `word` comes; what follows it is left for the next time.
    pub(super) fn until(&mut self, word: &str) -> anyhow::Result<()> {
        use std::{io::Read, os::fd::AsFd};
        loop {
            if let Some(start) = self.unread.find(word) {
                self.unread.drain(..start + word.len());
                return Ok(());
            }
            let bound = patience(Duration::from_secs(10));
            let mut watched =
                [nix::poll::PollFd::new(self.master.as_fd(), nix::poll::PollFlags::POLLIN)];
            let timeout = nix::poll::PollTimeout::try_from(bound)?;
            ensure!(
                nix::poll::poll(&mut watched, timeout)? > 0,
                "{word:?} did not come, only {:?}",
                self.unread
            );
            let mut piece = [0; 1024];
            let length = self
                .master
                .read(&mut piece)
                .with_context(|| format!("it ended after {:?}", self.unread))?;
            self.unread += &String::from_utf8_lossy(&piece[..length]);
        }
    }

    pub(super) fn end(mut self) -> anyhow::Result<i32> {
        let ended = wait_for_end(Pid::from_raw(self.child.id() as i32), patience(PATIENCE))?;
        if !ended {
            self.child.kill()?;
        }
        let status = self.child.wait()?;
        ensure!(ended, "it hangs, after {:?}", self.unread);
        Ok(status.code().unwrap_or(-1))
    }
}

/// A Ctrl-C ends what a shell on this terminal runs, and not the shell.
pub(super) fn is_interrupted(bench: &Bench, mut terminal: Terminal) -> anyhow::Result<Outcome> {
    terminal.write(&format!("{} answer\n", bench.other("inside").display()))?;
    terminal.until("ready\r\n")?;
    terminal.write("\x03")?;
    terminal.until("# ")?; // or the command reads what is meant for the shell
    terminal.write("echo af''ter $?\n")?;
    terminal.until("after 130")?;
    terminal.write("exit 5\n")?;
    let status = terminal.end()?;
    ensure!(status == 5, "the shell's exit status was {status}, not 5");
    holds()
}
