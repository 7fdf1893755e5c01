// ANCHOR: errors
//! How did it end, and which exit status says so?
//!
//! | status | meaning |
//! |---|---|
//! | 0 to 255 | the command's own |
//! | 128+N | signal N ended the command |
//! | 125 | the runtime failed |
//! | 126 | the command was found, but could not be executed |
//! | 127 | the command was not found |
//! | 2 | bad usage |

use std::fmt;

use nix::sys::signal::Signal;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Exit {
    /// It called exit(3) with this status.
    Code(u8),
    /// This signal ended it: a number from 1 to 64, real-time signals included (signal(7)).
    Signal(i32),
}

impl Exit {
    /// The exit status that tells a shell the same: 128+N for signal N.
    pub fn status(self) -> u8 {
        match self {
            Exit::Code(code) => code,
            Exit::Signal(signal) => 128 + signal as u8,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Exit::Code(code) => write!(f, "status {code}"),
            Exit::Signal(signal) => write!(f, "signal {signal} ({})", signal_name(*signal)),
        }
    }
}

/// A signal's name, such as `SIGTERM` or `SIGRTMIN+6`.
pub fn signal_name(signal: i32) -> String {
    match Signal::try_from(signal) {
        Ok(known) => known.as_str().to_owned(),
        Err(_) => format!("SIGRTMIN+{}", signal - libc::SIGRTMIN()),
    }
}

/// What is to blame for an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The runtime failed.
    Runtime,
    /// The command cannot be executed.
    NotExecutable,
    /// There is no such command.
    NotFound,
    /// The command line makes no sense.
    Usage,
}

impl Fault {
    const ALL: [Fault; 4] = [Fault::Runtime, Fault::NotExecutable, Fault::NotFound, Fault::Usage];

    /// The exit status that says so.
    pub fn status(self) -> u8 {
        match self {
            Fault::Runtime => 125,
            Fault::NotExecutable => 126,
            Fault::NotFound => 127,
            Fault::Usage => 2,
        }
    }

    /// The fault with this exit status.
    pub fn from_status(status: u8) -> Option<Fault> {
        Fault::ALL.into_iter().find(|fault| fault.status() == status)
    }
}

/// An error that knows its exit status. Any other error is the runtime's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is to blame.
    pub fault: Fault,
    /// One line: what failed, on which object, why, and the way out.
    pub message: String,
}

impl Failure {
    /// Bad usage that the command line parser alone cannot see.
    pub fn usage(message: impl Into<String>) -> anyhow::Error {
        Failure {
            fault: Fault::Usage,
            message: message.into(),
        }
        .into()
    }

    /// This error, as one line and a fault.
    pub fn from_error(error: &anyhow::Error) -> Failure {
        let known = error.downcast_ref::<Failure>();
        let fault = known.map_or(Fault::Runtime, |failure| failure.fault);
        Failure {
            fault,
            message: cut(&format!("{error:#}")).replace('\n', " "),
        }
    }
}

/// What an error may have to say, in bytes: it fits into any pipe at once, and a person reads it.
pub(crate) const LONGEST: usize = 3000;

/// The text, or as much of it as an error or a line of the log may have to say: a name in it may be
/// of any length.
pub(crate) fn cut(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{} …", &text[..end])
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
// ANCHOR_END: errors

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_cut_at_a_character() {
        let long = cut(&"ü".repeat(100_000));
        assert!(long.ends_with("ü …") && long.len() < 3010);
        assert_eq!(cut("short"), "short");
    }

    #[test]
    fn every_signal_has_a_name() {
        assert_eq!(Exit::Signal(9).to_string(), "signal 9 (SIGKILL)");
        assert_eq!(Exit::Signal(libc::SIGRTMIN() + 6).to_string(), "signal 40 (SIGRTMIN+6)");
        assert_eq!(Exit::Signal(40).status(), 168);
    }
}
