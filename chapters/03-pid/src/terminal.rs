// ANCHOR: terminal
//! Which processes get the terminal's Ctrl-C and its input?
//!
//! A process group is named by its leader's pid. The group that the child inherits has its leader
//! outside, so inside it has no pid: getpgrp(2) returns 0, a shell cannot give the terminal back
//! to it, and `kill 0` inside reaches processes outside. So the child leads a new group. If the
//! stage has the terminal for itself, it gives the foreground to that group and joins it: a Ctrl-C
//! reaches both. Otherwise the child's group is in the background.
//! Source: setpgid(2), tcsetpgrp(3), credentials(7), termios(3).

use std::io::{IsTerminal, stderr, stdin, stdout};

use anyhow::Context;
use nix::{
    sys::{
        signal::{SigHandler, SigSet, SigmaskHow, Signal, signal},
        termios::{SetArg, Termios, tcgetattr, tcsetattr},
    },
    unistd::{Pid, getpgrp, getpid, getsid, setpgid, setsid, tcgetpgrp, tcsetpgrp},
};

/// What the child gets of the terminal on standard input.
#[derive(Clone, Debug)]
pub enum Terminal {
    /// The foreground, as long as it runs.
    Lent {
        /// The group to which it goes back.
        back_to: Pid,
        /// Its settings before.
        settings: Box<Termios>,
    },
    /// Its output only: others are in the foreground.
    Background,
    /// Nothing: the child is in a session without a terminal.
    Cut,
}

impl Terminal {
    /// The foreground, if this process has it for itself. The programs of a pipeline share it.
    ///
    /// # Errors
    ///
    /// The terminal's settings cannot be read.
    pub fn find() -> anyhow::Result<Terminal> {
        let alone = stdin().is_terminal() && stdout().is_terminal() && stderr().is_terminal();
        let group = getpgrp();
        if !alone || tcgetpgrp(stdin()) != Ok(group) {
            return Ok(Terminal::Background);
        }
        let settings = tcgetattr(stdin()).context("read the terminal's settings")?;
        Ok(Terminal::Lent {
            back_to: group,
            settings: Box::new(settings),
        })
    }

    /// Whether a Ctrl-C reaches the child directly.
    pub fn is_lent(&self) -> bool {
        matches!(self, Terminal::Lent { .. })
    }

    /// The parent, as long as the child waits: puts the child into a group, and into the
    /// foreground.
    ///
    /// # Errors
    ///
    /// The terminal has gone.
    pub(crate) fn lend(&self, child: Pid) -> anyhow::Result<()> {
        if let Terminal::Cut = self {
            return Ok(()); // its session is a new group, too
        }
        setpgid(child, child).with_context(|| format!("setpgid: let {child} lead a group"))?;
        if self.is_lent() {
            // A Ctrl-Z reaches the whole group. A shell in it stops what it runs; a parent that
            // stopped too would be in a group that its own shell does not know.
            ignore_stops(true);
            tcsetpgrp(stdin(), child).context("tcsetpgrp: give the foreground to the child")?;
            setpgid(Pid::this(), child).with_context(|| format!("setpgid: join {child}"))?;
        }
        Ok(())
    }

    /// The child, after that.
    ///
    /// # Errors
    ///
    /// As setsid(2).
    pub fn take(&self) -> anyhow::Result<()> {
        match self {
            Terminal::Lent { .. } => ignore_stops(false),
            Terminal::Cut => drop(setsid().context("setsid")?),
            // A PID 1 cannot be stopped by these, as others in the background are: its read would
            // begin again and again. Ignored, they make it an error (EIO).
            Terminal::Background if stdin().is_terminal() => {
                ignore(Signal::SIGTTIN, true);
                ignore(Signal::SIGTTOU, true);
            }
            Terminal::Background => {}
        }
        Ok(())
    }

    /// The parent, after the child's end: goes back to its group. A command that was killed could
    /// not restore the terminal's settings: then this does.
    ///
    /// # Errors
    ///
    /// The terminal has gone.
    pub(crate) fn take_back(&self, was_killed: bool) -> anyhow::Result<()> {
        let Terminal::Lent { back_to, settings } = self else {
            return Ok(());
        };
        // A process in the background that does this is stopped by SIGTTOU, unless it blocks it.
        let mask = SigSet::from(Signal::SIGTTOU)
            .thread_swap_mask(SigmaskHow::SIG_BLOCK)
            .context("block SIGTTOU")?;
        let group = setpgid(Pid::this(), *back_to).context("setpgid: go back to the group");
        let foreground = tcsetpgrp(stdin(), *back_to).context("tcsetpgrp: be the foreground again");
        if was_killed {
            tcsetattr(stdin(), SetArg::TCSADRAIN, settings).context("set the terminal back")?;
        }
        ignore_stops(false);
        mask.thread_set_mask().context("restore the signal mask")?;
        foreground.and(group)
    }
}

/// Whether this process leads its session: then it can go into no other group.
pub(crate) fn leads_its_session() -> bool {
    getsid(None) == Ok(getpid())
}

/// Whether the terminal's stop signals do nothing to this process.
fn ignore_stops(ignored: bool) {
    for stop in [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU] {
        ignore(stop, ignored);
    }
}

fn ignore(number: Signal, ignored: bool) {
    let handler = match ignored {
        true => SigHandler::SigIgn,
        false => SigHandler::SigDfl,
    };
    // SAFETY: neither of the two installs a handler.
    let changed = unsafe { signal(number, handler) };
    debug_assert!(changed.is_ok(), "these signals can be ignored");
}
// ANCHOR_END: terminal
