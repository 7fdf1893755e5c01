//! What does a run that does not end wait for?

use std::{error::Error, fmt, time::Duration};

use nix::unistd::Pid;

use crate::process::{children_of, state};

/// The error of a run that did not end in time.
#[derive(Clone, Debug)]
pub struct Hang {
    /// The bound.
    pub after: Duration,
    /// Its children that have ended, and that it has not waited for.
    pub zombies: Vec<Pid>,
    /// What it has written to standard error.
    pub said: String,
}

impl fmt::Display for Hang {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "it hangs: still there after {} s", self.after.as_secs())?;
        for zombie in &self.zombies {
            write!(f, ", and its child {zombie} is a zombie")?;
        }
        write!(f, "; it said: {}", self.said)
    }
}

impl Error for Hang {}

/// The children of a process that have ended without being waited for (proc_pid_stat(5), state Z).
pub fn zombies_of(pid: Pid) -> Vec<Pid> {
    let is_zombie = |child: &Pid| state(*child) == Some('Z');
    children_of(pid).unwrap_or_default().into_iter().filter(is_zombie).collect()
}
