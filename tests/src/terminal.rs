//! How is a stage run on a terminal?

use std::{
    fs::File,
    io::{Read, Write},
    os::{
        fd::AsFd,
        unix::process::{CommandExt, ExitStatusExt},
    },
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    pty::openpty,
    sys::termios::Termios,
    unistd::{Pid, setsid},
};

use rustix::termios::{Winsize, tcsetwinsize};

use crate::{
    Bench, Outcome,
    bench::Run,
    hang::{Hang, zombies_of},
    patience,
    process::{children_of, wait_for_end},
    told,
};

mod settings;

use settings::{settings, size};

/// How long a stage on a terminal may think before it answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// A run on a terminal of its own.
pub struct Terminal {
    master: File,
    child: Child,
    unread: String,
    bound: Duration,
    first: Termios,
}

impl Terminal {
    /// The bench's stage on a terminal, which it passes on.
    ///
    /// # Errors
    ///
    /// There is no terminal to be had, or no such program.
    pub fn open(bench: &Bench, arguments: &[&str]) -> anyhow::Result<Terminal> {
        let tty: &[&str] = if bench.stage < 8 { &[] } else { &["-t"] };
        Terminal::of(bench.stage([tty, arguments].concat()))
    }

    /// A terminal for this run, which a person types into a shell with job control.
    ///
    /// # Errors
    ///
    /// As [`Terminal::open`].
    pub fn of(run: Run) -> anyhow::Result<Terminal> {
        Terminal::of_words(run, "\"$0\" \"$@\"; exit $?")
    }

    /// A terminal for a shell with job control that runs this script, with the run's words as `$0`
    /// and `$@`.
    ///
    /// # Errors
    ///
    /// As [`Terminal::open`].
    pub fn of_words(run: Run, script: &str) -> anyhow::Result<Terminal> {
        Terminal::of_leader(run.under(&["sh", "-mc", script]))
    }

    /// The same, on a terminal that has so many columns from the beginning.
    ///
    /// # Errors
    ///
    /// As [`Terminal::open`].
    pub fn with_columns(run: Run, script: &str, columns: u16) -> anyhow::Result<Terminal> {
        Terminal::start(run.under(&["sh", "-mc", script]), Some(size(24, columns)))
    }

    /// A terminal for this run, which leads its session.
    ///
    /// # Errors
    ///
    /// As [`Terminal::open`].
    pub fn of_leader(run: Run) -> anyhow::Result<Terminal> {
        Terminal::start(run, None)
    }

    fn start(run: Run, size: Option<Winsize>) -> anyhow::Result<Terminal> {
        let pty = openpty(None, None).context("openpty")?;
        if let Some(size) = size {
            tcsetwinsize(&pty.master, size).context("resize the terminal")?;
        }
        // A stage that had the master too would keep its own terminal from ever hanging up.
        for end in [&pty.master, &pty.slave] {
            fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))
                .context("close the terminal's ends on exec")?;
        }
        let slave = || anyhow::Ok(Stdio::from(pty.slave.try_clone()?));
        let run = run.with(|command| {
            // SAFETY: between fork and exec, setsid and ioctl are async-signal-safe.
            unsafe {
                command.pre_exec(|| {
                    setsid()?;
                    // Descriptor 0 becomes the controlling terminal of the new session.
                    Errno::result(libc::ioctl(0, libc::TIOCSCTTY, 0))?;
                    Ok(())
                });
            }
        });
        let bound = run.bound().min(PATIENCE);
        let first = settings(&pty.master)?;
        let child = run.start_on(slave()?, slave()?, slave()?)?;
        Ok(Terminal {
            master: pty.master.into(),
            child,
            unread: String::new(),
            bound,
            first,
        })
    }

    /// Types this.
    ///
    /// # Errors
    ///
    /// It has hung up.
    pub fn write(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.master.write_all(text.as_bytes())?)
    }

    /// Reads until `word` comes; what follows it is left for the next time. Returns what came
    /// before it.
    ///
    /// # Errors
    ///
    /// It does not come.
    pub fn until(&mut self, word: &str) -> anyhow::Result<String> {
        loop {
            if let Some(start) = self.unread.find(word) {
                let before = self.unread[..start].to_owned();
                self.unread.drain(..start + word.len());
                return Ok(before);
            }
            let mut watched = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
            let timeout = PollTimeout::try_from(patience(PATIENCE))?;
            ensure!(
                poll(&mut watched, timeout)? > 0,
                "the terminal shows {}, and not {}",
                told(&self.unread),
                told(word)
            );
            let mut piece = [0; 1024];
            let length = self.master.read(&mut piece).with_context(|| {
                format!("the terminal has hung up; it showed {}", told(&self.unread))
            })?;
            self.unread += &String::from_utf8_lossy(&piece[..length]);
        }
    }

    /// The process that was started on it.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// The process that nobody is below, down the line of the last children.
    ///
    /// # Errors
    ///
    /// The process has ended.
    pub fn lowest(&self) -> anyhow::Result<Pid> {
        let mut pid = self.pid();
        while let Some(child) = children_of(pid)?.last() {
            pid = *child;
        }
        Ok(pid)
    }

    /// Closes it: those on it are told by a SIGHUP. Returns whether its process ends in time.
    ///
    /// # Errors
    ///
    /// As waitpid(2).
    pub fn hang_up(self) -> anyhow::Result<bool> {
        let Terminal {
            master, mut child, ..
        } = self;
        drop(master);
        let ended = wait_for_end(Pid::from_raw(child.id() as i32), patience(PATIENCE / 5))?;
        if !ended {
            child.kill()?;
        }
        child.wait()?;
        Ok(ended)
    }

    /// Waits for its process's end, and returns the exit status.
    ///
    /// # Errors
    ///
    /// It hangs.
    pub fn end(self) -> anyhow::Result<i32> {
        Ok(self.rest()?.0)
    }

    /// Likewise, and what it has shown since.
    ///
    /// # Errors
    ///
    /// It hangs.
    pub fn rest(mut self) -> anyhow::Result<(i32, String)> {
        let start = Instant::now();
        // What nobody reads fills the terminal, and those that write to it stop.
        while !wait_for_end(self.pid(), Duration::from_millis(2))? {
            if start.elapsed() > patience(self.bound) {
                let hang = Hang {
                    after: patience(self.bound),
                    zombies: zombies_of(self.pid()),
                    said: self.unread,
                };
                self.child.kill()?;
                self.child.wait()?;
                return Err(hang.into());
            }
            self.take_what_is_there()?;
        }
        while self.take_what_is_there()? > 0 {}
        // A shell whose program a signal has ended may end itself by that signal.
        let status = self.child.wait()?;
        let by_signal = status.signal().map(|signal| 128 + signal);
        Ok((status.code().or(by_signal).unwrap_or(-1), self.unread))
    }

    /// Returns how many bytes there were. A terminal that everybody has closed has none.
    fn take_what_is_there(&mut self) -> anyhow::Result<usize> {
        let mut watched = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
        if poll(&mut watched, PollTimeout::ZERO)? == 0 {
            return Ok(0);
        }
        let mut piece = [0; 1024];
        let length = self.master.read(&mut piece).unwrap_or(0);
        self.unread += &String::from_utf8_lossy(&piece[..length]);
        Ok(length)
    }
}

/// A Ctrl-C ends what a shell on this terminal runs, and not the shell.
///
/// # Errors
///
/// It does not.
pub fn is_interrupted(bench: &Bench, mut terminal: Terminal) -> anyhow::Result<Outcome> {
    terminal.write(&format!("{} answer\n", bench.other("inside").display()))?;
    terminal.until("ready\r\n")?;
    terminal.write("\x03")?;
    terminal.until("# ")?; // or the command reads what is meant for the shell
    terminal.write("echo af''ter $?\n")?;
    terminal.until("after 130")?;
    terminal.write("exit 5\n")?;
    let status = terminal.end()?;
    ensure!(status == 5, "the shell's exit status was {status}, not 5");
    Ok(Outcome::Holds)
}
