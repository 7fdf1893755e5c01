// ANCHOR: ps
//! Which containers run, and how do you send one a signal?

use std::{
    ffi::OsStr,
    fs,
    io::{self, Write},
    os::{fd::AsFd, unix::ffi::OsStrExt},
    str::FromStr,
};

use anyhow::{Context, anyhow};
use ch01_uts::send;
use ch03_pid::is_deaf;
use lab::{errors::signal_name, exec::shown, info, warn};
use nix::sys::signal::Signal;

use crate::{Name, Names};

/// Writes a table of the containers that run to standard output.
///
/// # Errors
///
/// As [`Names::running`]; standard output cannot be written.
pub fn ps(names: &Names) -> anyhow::Result<()> {
    let mut table = vec![["NAME".to_owned(), "PID".to_owned(), "COMMAND".to_owned()]];
    for (name, container) in names.running()? {
        // One that has ended meanwhile has no command any more.
        let line = fs::read(format!("/proc/{}/cmdline", container.pid)).unwrap_or_default();
        let words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        let words: Vec<String> = words.map(|word| shown(OsStr::from_bytes(word))).collect();
        table.push([name, container.pid.to_string(), words.join(" ")]);
    }
    let width = |column: usize| table.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (names, pids) = (width(0), width(1));
    let mut out = io::stdout().lock();
    for [name, pid, command] in &table {
        writeln!(out, "{name:names$}  {pid:pids$}  {command}").context("write the table")?;
    }
    Ok(())
}
// ANCHOR_END: ps

// ANCHOR: kill
/// A signal on the command line: `TERM`, `SIGTERM`, or a number from 1 to 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalNumber(i32);

impl FromStr for SignalNumber {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = |name: &str| Signal::from_str(name).ok().map(|signal| signal as i32);
        let number = text.parse().ok().filter(|number| (1..=64).contains(number));
        let number = number.filter(|_| !text.starts_with('+'));
        let upper = text.to_ascii_uppercase();
        number
            .or_else(|| named(&upper))
            .or_else(|| named(&format!("SIG{upper}")))
            .map(SignalNumber)
            .ok_or_else(|| "name a signal, such as TERM, KILL or 9".to_owned())
    }
}

/// Sends a signal to the PID 1 of a container, by a pidfd: never to another process that has its
/// pid by now.
///
/// # Errors
///
/// There is no such container, it has ended, or it is another user's.
pub fn kill(names: &Names, name: &Name, signal: SignalNumber) -> anyhow::Result<()> {
    let container = names.find(name)?;
    let SignalNumber(signal) = signal;
    let shown = signal_name(signal);
    // ANCHOR: exercise-kill
    let pidfd = container.open().with_context(|| format!("{name} has ended"))?;
    let is_deaf = is_deaf(pidfd.as_fd(), signal).unwrap_or(false);
    send(pidfd.as_fd(), signal)
        .map_err(|errno| anyhow!("{name}: send {shown}: {}", errno.desc()))?;
    // ANCHOR_END: exercise-kill
    info!("sent {shown} to process {}", container.pid);
    if is_deaf {
        warn!("{shown}: PID 1 of {name} has no handler for it (--signal KILL ends it)");
    }
    Ok(())
}
// ANCHOR_END: kill

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_a_name_or_a_number() {
        for (text, number) in [("TERM", 15), ("sigterm", 15), ("9", 9), ("64", 64)] {
            assert_eq!(text.parse(), Ok(SignalNumber(number)));
        }
        // The last is no i: only its capital letter is.
        for wrong in ["", "0", "65", "+9", "-9", " 9", "SIG", "SIGSIGTERM", "s\u{131}gterm"] {
            assert!(wrong.parse::<SignalNumber>().is_err(), "{wrong:?}");
        }
    }
}
