// ANCHOR: state
//! What is in an entry, and what does it mean?
//!
//! ```text
//! boot 0b5a3b0c-2c43-4d0e-9b8e-6f6f3c1d2a77
//! seen from pid:[4026531836] time:[4026531834]
//! run 4242 67890 31
//! container 4244 67893 33
//! ```
//!
//! It names the process that keeps it and the container's PID 1, each by pid, start time and inode
//! number of a pidfd, and where these numbers are valid. So a reader can tell whether the two live,
//! or a killed runtime left the entry. In another PID namespace the pids differ, in another time
//! namespace the start times: from there, nobody can tell.

use std::fs;

use anyhow::Context;
use lab::diagnose::require_own_proc;
use nix::unistd::Pid;

use crate::Identity;

/// Where the pids and start times of an entry are valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The boot of this machine (/proc/sys/kernel/random/boot_id).
    boot: String,
    /// The PID namespace, and the time namespace if the kernel has them.
    seen_from: String,
}

impl Origin {
    /// This process's.
    pub(crate) fn own() -> anyhow::Result<Origin> {
        require_own_proc()?;
        let boot =
            fs::read_to_string("/proc/sys/kernel/random/boot_id").context("read this boot's id")?;
        let link = |kind| {
            fs::read_link(format!("/proc/self/ns/{kind}")).map(|link| link.display().to_string())
        };
        let (pid, time) = (
            link("pid").context("read the link /proc/self/ns/pid")?,
            link("time").unwrap_or_default(),
        );
        Ok(Origin {
            boot: boot.trim().to_owned(),
            seen_from: format!("{pid} {time}").trim_end().to_owned(),
        })
    }
}

/// What is in an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) origin: Origin,
    /// The process that keeps the entry.
    pub(crate) run: Identity,
    /// The container's PID 1; `None` until the container is set up.
    pub(crate) container: Option<Identity>,
    /// Further lines, of a chapter above.
    pub(crate) notes: String,
}

/// What the lines that are no notes begin with.
const OWN: [&str; 4] = ["boot ", "seen from ", "run ", "container "];

/// What became of the container of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Its PID 1 runs.
    Runs(Identity),
    /// It is being set up or cleared up.
    Busy,
    /// It has ended, and so has the process that kept the entry: no process will clear it up.
    LeftOver,
    /// It is an entry of another PID or time namespace: this process cannot tell.
    Elsewhere,
}

impl State {
    /// What became of its container.
    pub(crate) fn status(&self) -> anyhow::Result<Status> {
        let here = Origin::own()?;
        Ok(match self.container {
            _ if self.origin.boot != here.boot => Status::LeftOver,
            _ if self.origin != here => Status::Elsewhere,
            Some(container) if container.lives() => Status::Runs(container),
            // ANCHOR: exercise-left-over
            _ if self.run.lives() => Status::Busy,
            _ => Status::LeftOver,
            // ANCHOR_END: exercise-left-over
        })
    }

    /// `None` if the text is not as [`State::text`] writes it, or is only the beginning: its writer
    /// was killed.
    pub(crate) fn parse(text: &str) -> Option<State> {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let process = |words: &str| {
            let mut words = words.split(' ');
            Some(Identity {
                pid: Pid::from_raw(words.next()?.parse().ok().filter(|pid| *pid > 0)?),
                start: words.next()?.parse().ok()?,
                inode: words.next()?.parse().ok()?,
            })
        };
        let state = State {
            origin: Origin {
                boot: field("boot ")?.to_owned(),
                seen_from: field("seen from ")?.to_owned(),
            },
            run: process(field("run ")?)?,
            container: field("container ").and_then(process),
            notes: text
                .split_inclusive('\n')
                .filter(|line| !OWN.iter().any(|own| line.starts_with(own)))
                .collect(),
        };
        (text.ends_with('\n') && state.text() == text).then_some(state)
    }

    pub(crate) fn text(&self) -> String {
        let line = |name: &str, process: Identity| {
            format!("{name} {} {} {}\n", process.pid, process.start, process.inode)
        };
        let origin = format!("boot {}\nseen from {}\n", self.origin.boot, self.origin.seen_from);
        let container = self.container.map(|process| line("container", process));
        origin + &line("run", self.run) + &self.notes + &container.unwrap_or_default()
    }
}
// ANCHOR_END: state

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let process = |pid, start| Identity {
            pid: Pid::from_raw(pid),
            start,
            inode: 31,
        };
        for (container, notes) in [(None, ""), (Some(process(4244, 67893)), "a note\nand one\n")] {
            let origin = Origin {
                boot: "0b5a".into(),
                seen_from: "pid:[1] time:[2]".into(),
            };
            let state = State {
                origin,
                run: process(4242, 67890),
                container,
                notes: notes.into(),
            };
            assert_eq!(State::parse(&state.text()), Some(state));
        }
        for text in [
            "",
            "run 1 2 3\n",
            "boot a\nrun 1 2 3\n",
            "boot a\nseen from b\nrun 1 x 3\n",
            "boot a\nseen from b\nrun 1 2\n",
            "boot a\nseen from b\ncontainer 1 2 3\n",
            "boot a\nseen from b\nrun -1 2 3\n",
            "boot a\nseen from b\nrun 0 2 3\n",
            "boot a\nseen from b\nrun +1 2 3\n",
            "boot a\nseen from b\nrun 1 2 3 4\n",
            "boot a\nseen from b\nrun 1 2 3\nrun 4 5 6\n",
            "boot a\nseen from b\nrun 1 2 3\ncontainer 4 5\n",
            "boot a\nseen from b\nrun 1 2 3\ncontainer 4 5 6", // 67 was written, perhaps
            "boot a\nseen from b\nrun 1 2 3\na no",
        ] {
            assert_eq!(State::parse(text), None, "{text:?}");
        }
    }
}
