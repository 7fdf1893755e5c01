//! A learner who watches, on a terminal: what it shows, its keys, and how it is left.

use std::{
    env,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use judge::{Bench, User, patience, process::state, terminal::Terminal};
use nix::sys::{
    signal::{Signal, kill},
    termios::LocalFlags,
};

use super::{Learner, change};
use crate::PROGRAM;

/// The last line of what `watch` says, whatever it has done.
const READY: &str = "q quit";
const CLEAR: &str = "\x1b[2J\x1b[H";

/// A terminal on which `watch` runs.
struct Watching {
    terminal: Terminal,
    /// Its folder is there as long.
    _bench: Bench,
}

impl Watching {
    fn begin(learner: &Learner) -> anyhow::Result<Watching> {
        let place = learner.folder.parent().context("a learner is in a folder")?;
        let bench = Bench::new(0, PROGRAM.as_ref(), User::all()[0], place)?;
        let words = ["--folder".as_ref(), learner.folder.as_os_str(), "watch".as_ref()];
        let run = bench.run(PROGRAM, words).with(|command| {
            // cargo, with its home.
            command.envs(env::vars_os()).env("TERM", "xterm").env_remove("NO_COLOR");
        });
        let terminal = Terminal::of_leader(run)?;
        Ok(Watching {
            terminal,
            _bench: bench,
        })
    }

    /// Waits for this on the terminal, and returns what came before it. A build takes its time.
    fn shows(&mut self, word: &str) -> anyhow::Result<String> {
        let start = Instant::now();
        loop {
            let shown = self.terminal.until(word);
            if shown.is_ok() || start.elapsed() > patience(Duration::from_secs(60)) {
                return shown;
            }
        }
    }

    /// What is shown for this key, on a new screen.
    fn on_key(&mut self, key: &str) -> anyhow::Result<String> {
        self.terminal.write(key)?;
        let before = self.shows(CLEAR)?;
        ensure!(before.trim().is_empty(), "for {key} it shows {before:?} on the old screen");
        self.shows(READY)
    }

    fn takes_keys(&self) -> anyhow::Result<bool> {
        Ok(!self.terminal.flags()?.intersects(LocalFlags::ECHO | LocalFlags::ICANON))
    }

    fn becomes(&self, what: &str, is: impl Fn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
        let start = Instant::now();
        while !is()? {
            ensure!(start.elapsed() < patience(Duration::from_secs(10)), "{what}: it is not so");
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn is_set_back(&self) -> anyhow::Result<()> {
        self.becomes("the terminal is as it was", || {
            Ok(self.terminal.flags()? == self.terminal.first_flags())
        })
    }

    fn ends_with(self, status: i32) -> anyhow::Result<()> {
        self.is_set_back()?;
        let found = self.terminal.end()?;
        ensure!(found == status, "its exit status is {found}, not {status}");
        Ok(())
    }
}

/// From a `todo!` to the next exercise, without leaving.
pub fn goes_through(learner: &Learner) -> anyhow::Result<()> {
    learner.types(&["start", "03"])?.with(0, &[])?;
    let mut watching = Watching::begin(learner)?;
    watching.shows(CLEAR)?;
    watching.shows("\x1b[1;33mTODO\x1b[0m")?;
    watching.shows(READY)?;
    ensure!(watching.takes_keys()?, "it waits for the end of a line");
    let hint = watching.on_key("h")?;
    ensure!(hint.contains("Hint 1"), "h shows {hint}");
    let progress = watching.on_key("p")?;
    let unfolded = progress.contains("One process, two pids") && !progress.contains("How did it");
    ensure!(unfolded && progress.contains(" 0/51 done"), "p shows {progress}");
    let open = watching.on_key("n")?;
    ensure!(open.contains("This one is open"), "n shows {open}");

    learner.changes("pub fn say_who_i_am", "pub fun say_who_i_am")?;
    watching.shows("\x1b[1;31mDOES NOT BUILD\x1b[0m")?;
    watching.shows(READY)?;
    learner.solves(1)?;
    watching.shows("\x1b[1;32mpasses\x1b[0m")?;
    watching.shows("is done")?;
    watching.shows(READY)?;
    let next = watching.on_key("n")?;
    ensure!(next.contains("exercise 2 of"), "n shows {next}");
    change(&learner.next_file(), "todo!(", "let _ = (child, arrived); // todo!(")?;
    watching.shows(CLEAR)?;
    watching.shows("exercise 2:")?;
    watching.shows(READY)?;
    watching.terminal.write("q")?;
    watching.ends_with(0)
}

/// By q, by each signal that ends a program, after a Ctrl-Z, and while a check runs.
pub fn leaves(learner: &Learner) -> anyhow::Result<()> {
    learner.types(&["start", "03"])?.with(0, &[])?;
    for (signal, status) in [
        (None, 130),
        (Some(Signal::SIGINT), 130),
        (Some(Signal::SIGTERM), 143),
        (Some(Signal::SIGHUP), 129),
        (Some(Signal::SIGQUIT), 131),
    ] {
        let mut watching = Watching::begin(learner)?;
        watching.shows(READY)?;
        ensure!(watching.takes_keys()?, "it waits for the end of a line");
        match signal {
            None => watching.terminal.write("\x03")?,
            Some(signal) => kill(watching.terminal.pid(), signal)?,
        }
        watching.ends_with(status)?;
    }
    let mut watching = Watching::begin(learner)?;
    watching.shows(READY)?;
    watching.terminal.write("\x1a")?;
    let pid = watching.terminal.pid();
    watching.becomes("a Ctrl-Z stops it", || Ok(state(pid) == Some('T')))?;
    watching.is_set_back()?;
    kill(pid, Signal::SIGCONT)?;
    watching.becomes("it goes on, and takes keys", || watching.takes_keys())?;
    let progress = watching.on_key("p")?;
    ensure!(progress.contains("03-pid"), "p shows {progress}");

    // A check that takes long is named, on a line that the next one takes.
    learner.solves(1)?;
    watching.shows("is done")?;
    watching.shows(READY)?;
    let hangs = "let me = getpid(); std::thread::sleep(std::time::Duration::MAX);";
    learner.changes("let me = getpid();", hangs)?;
    watching.shows("… the command is PID 1, and has another pid outside\r")?;
    watching.terminal.write("\x03")?;
    watching.ends_with(130)
}
