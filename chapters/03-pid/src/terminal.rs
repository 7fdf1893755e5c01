//! Who gets the terminal's Ctrl-C, when PID 1 cannot name its own process group?
//!
//! A process group is named after its leader's pid. The group that the child inherits has
//! its leader outside, so inside it has no name: getpgrp(2) says 0, and a shell cannot
//! give the terminal back to it when it ends. So the child leads a group of its own in the
//! terminal's foreground, and the parent joins it: a Ctrl-C still reaches both. It joins
//! first, and the child waits for that at a pipe.
//! Source: setpgid(2), tcsetpgrp(3), credentials(7).

use std::{
    cell::RefCell,
    io::{IsTerminal, PipeReader, PipeWriter, Read, pipe, stdin},
};

use anyhow::Context;
use nix::{
    sys::signal::{SigHandler, SigSet, Signal, signal},
    unistd::{Pid, getpgrp, getpid, getsid, setpgid, setsid, tcgetpgrp, tcsetpgrp},
};

/// The terminal on standard input, if this process is in its foreground. Made before the clone.
pub struct Terminal {
    lent: Option<Lent>,
    detached: bool,
}

/// What it takes to lend a terminal and to take it back.
struct Lent {
    /// The process group to which it goes back.
    before: Pid,
    /// The parent closes the writing end when it has joined the child's group.
    joined: PipeReader,
    not_yet: RefCell<Option<PipeWriter>>,
}

impl Terminal {
    /// Looks for it. The leader of a session cannot leave its group: it has none to lend.
    ///
    /// # Errors
    ///
    /// This process's session cannot be found out.
    pub fn find() -> anyhow::Result<Terminal> {
        let group = getpgrp();
        let leads_session = getsid(None).context("getsid")? == getpid();
        let in_foreground =
            stdin().is_terminal() && tcgetpgrp(stdin()).is_ok_and(|foreground| foreground == group);
        if leads_session || !in_foreground {
            return Ok(Terminal::shared());
        }
        let (joined, writer) = pipe().context("make a pipe for the terminal")?;
        let lent = Lent {
            before: group,
            joined,
            not_yet: RefCell::new(Some(writer)),
        };
        Ok(Terminal {
            lent: Some(lent),
            detached: false,
        })
    }

    /// No terminal at all: the child leads a session of its own, and cannot reach ours.
    pub fn detached() -> Terminal {
        Terminal {
            lent: None,
            detached: true,
        }
    }

    /// The caller's, as it is: neither lent nor cut off.
    pub fn shared() -> Terminal {
        Terminal {
            lent: None,
            detached: false,
        }
    }

    /// Whether the child is to have it for itself.
    pub fn is_lent(&self) -> bool {
        self.lent.is_some()
    }

    /// Whether the child's session is its own: then no Ctrl-C reaches it but ours.
    pub(crate) fn is_detached(&self) -> bool {
        self.detached
    }

    /// The parent, at once after the clone: joins the child in a new process group.
    ///
    /// # Errors
    ///
    /// EACCES if the child has executed something already, ESRCH if somebody has waited for it.
    pub fn lend(&self, child: Pid) -> anyhow::Result<()> {
        let Some(lent) = &self.lent else {
            return Ok(());
        };
        // A Ctrl-Z reaches the whole group. The shell in it stops what it runs; a parent that
        // stopped too could be woken by nobody, in a group that its own shell does not know.
        on_stop(SigHandler::SigIgn);
        setpgid(child, child)
            .with_context(|| format!("setpgid: let {child} lead a process group"))?;
        setpgid(Pid::this(), child)
            .with_context(|| format!("setpgid: join the process group of {child}"))?;
        lent.not_yet.replace(None);
        Ok(())
    }

    /// The child: takes the terminal when the parent has joined its group, so that no Ctrl-C
    /// is lost in between (or leads a session of its own).
    ///
    /// # Errors
    ///
    /// The terminal has gone.
    pub fn take(&self) -> anyhow::Result<()> {
        if self.detached {
            setsid().context("setsid")?;
        }
        let Some(lent) = &self.lent else {
            return Ok(());
        };
        lent.not_yet.replace(None); // the child's copy, or it would wait for itself
        (&lent.joined)
            .read_to_end(&mut Vec::new())
            .context("wait until the parent has joined")?;
        to_foreground(getpgrp())
    }

    /// The parent, after the child's end: takes the terminal back.
    pub(crate) fn take_back(&self) -> anyhow::Result<()> {
        let Some(Lent { before: group, .. }) = self.lent else {
            return Ok(());
        };
        on_stop(SigHandler::SigDfl);
        setpgid(Pid::this(), group).context("setpgid: go back to one's process group")?;
        to_foreground(group)
    }
}

/// What the terminal's stop signals do to this process.
fn on_stop(handler: SigHandler) {
    for stop in [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU] {
        // SAFETY: to ignore a signal, or not to, installs no handler.
        let changed = unsafe { signal(stop, handler) };
        debug_assert!(changed.is_ok(), "these signals can be ignored");
    }
}

/// A process in the background that does this is stopped by SIGTTOU, unless it blocks it.
fn to_foreground(group: Pid) -> anyhow::Result<()> {
    let mask =
        SigSet::from(Signal::SIGTTOU).thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK)?;
    let outcome = tcsetpgrp(stdin(), group).context("tcsetpgrp: become the terminal's foreground");
    mask.thread_set_mask()?;
    outcome
}
