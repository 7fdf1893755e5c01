//! Does the shell of `make vm` do what the book says? It is typed into, as a person does it.

use std::{
    env,
    fs::File,
    io::{ErrorKind, Read, Write},
    os::fd::AsFd,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use judge::{patience, process::wait_for_end};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    pty::openpty,
    unistd::Pid,
};
use rustix::termios::{Winsize, tcsetwinsize};

/// As `make test-kernels GUEST=` takes it.
pub const NAME: &str = "vm";

/// How long its programs may compile, and how long a command may take in an emulated machine.
const TO_THE_PROMPT: Duration = Duration::from_secs(900);
const TO_AN_ANSWER: Duration = Duration::from_secs(60);

const PROMPT: &str = "you@guest:~/tower$ ";

/// What is typed, and what must come. The echo of the line itself does not have it.
const TALK: [(&str, &str); 5] = [
    ("echo \"uid $(id -u), terminal $(stty size)\"\n", "uid 1000, terminal 30 97\r"),
    ("head -n 1 README.md\n", "# From clone(2) to a container\r"),
    ("cargo run --bin 06-reexec -- -q uname -n\n", "container-"),
    (
        "cargo run --bin 07-cgroup-memory -- -q -m 64m true; echo limit $?\n",
        "limit 0\r",
    ),
    ("su -c 'echo \"uid $(id -u)\"'\n", "uid 0\r"),
];

/// Prints how it went. Returns what failed.
pub fn visit() -> Vec<String> {
    let start = Instant::now();
    match talk() {
        Ok(()) => {
            println!("== {NAME}: ok, {:.0} s", start.elapsed().as_secs_f64());
            vec![]
        }
        Err(error) => vec![format!("{error:#}")],
    }
}

fn talk() -> anyhow::Result<()> {
    let mut person = Person::start()?;
    person.until(PROMPT, TO_THE_PROMPT)?;
    for (typed, answer) in TALK {
        person.terminal.write_all(typed.as_bytes())?;
        person.until(answer, patience(TO_AN_ANSWER))?;
        // What is typed while a stage gives the terminal back is lost.
        person.until(PROMPT, patience(TO_AN_ANSWER))?;
    }
    // Ctrl-C ends the command, and not the machine.
    person.terminal.write_all(b"echo rea''dy; sleep 1000\n")?;
    person.until("ready\r", patience(TO_AN_ANSWER))?;
    person.terminal.write_all(b"\x03")?;
    person.until(PROMPT, patience(TO_AN_ANSWER))?;
    person.terminal.write_all(b"exit\n")?;
    person.end(patience(TO_AN_ANSWER))
}

/// The user of a terminal, on which this program gives a shell.
struct Person {
    terminal: File,
    child: Child,
    seen: String,
}

impl Person {
    fn start() -> anyhow::Result<Person> {
        let pty = openpty(None, None).context("openpty")?;
        let size = Winsize {
            ws_row: 30,
            ws_col: 97,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&pty.master, size).context("resize the terminal")?;
        let end = || anyhow::Ok(Stdio::from(pty.slave.try_clone()?));
        let program = env::current_exe().context("find this program")?;
        let child = Command::new(program)
            .arg("--shell")
            .stdin(end()?)
            .stdout(end()?)
            .stderr(end()?)
            .spawn()
            .context("run this program")?;
        Ok(Person {
            terminal: pty.master.into(),
            child,
            seen: String::new(),
        })
    }

    /// Reads until `words` come, and forgets them and what came before.
    fn until(&mut self, words: &str, bound: Duration) -> anyhow::Result<()> {
        let start = Instant::now();
        while !self.seen.contains(words) {
            let open = self.read(bound.saturating_sub(start.elapsed()))?;
            ensure!(open, "no {words:?} came: the terminal showed {:?}, and closed", self.seen);
        }
        let (_, rest) = self.seen.split_once(words).context("it has come")?;
        self.seen = rest.to_owned();
        Ok(())
    }

    /// Reads what comes next; `false` if all have closed the terminal.
    fn read(&mut self, bound: Duration) -> anyhow::Result<bool> {
        let mut watched = [PollFd::new(self.terminal.as_fd(), PollFlags::POLLIN)];
        let came = poll(&mut watched, PollTimeout::try_from(bound)?)? > 0;
        ensure!(came, "nothing more came in time after {:?}", self.seen);
        let mut piece = [0; 1024];
        match self.terminal.read(&mut piece) {
            Ok(0) => Ok(false),
            Err(error) if error.raw_os_error() == Some(libc::EIO) => Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) => bail!("read the terminal: {error}"),
            Ok(length) => {
                self.seen += &String::from_utf8_lossy(&piece[..length]);
                Ok(true)
            }
        }
    }

    /// Its machine is off, and all went well.
    fn end(mut self, bound: Duration) -> anyhow::Result<()> {
        let pid = Pid::from_raw(self.child.id() as i32);
        ensure!(wait_for_end(pid, bound)?, "the machine is still on after `exit`");
        let status = self.child.wait()?;
        ensure!(status.success(), "`make vm` ended with {status}");
        Ok(())
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // Its qemu reads the terminal, which is about to close, and would be there for ever.
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            // A terminal that nobody answers on: Ctrl-A X is qemu's own way out.
            let typed = self.terminal.write_all(b"\x01x");
            let pid = Pid::from_raw(self.child.id() as i32);
            if typed.is_err() || !wait_for_end(pid, TO_AN_ANSWER).unwrap_or(false) {
                eprintln!("the trial's qemu runs on: kill the child of {pid}");
            }
        }
    }
}
