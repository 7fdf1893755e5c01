// ANCHOR: all
//! Which process is it, when pids come back?

use ch07_cgroup_memory::group::start_time;
use nix::unistd::Pid;

/// A process that cannot be mistaken for a later one with the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Started {
    /// Its pid.
    pub pid: Pid,
    /// When it started, in clock ticks since boot (field 22 of proc_pid_stat(5)), as seen from
    /// this time namespace.
    pub start: u64,
}

impl Started {
    /// The process that has this pid now; `None` if none has, or if it has ended.
    pub fn now(pid: Pid) -> Option<Started> {
        start_time(pid).map(|start| Started { pid, start })
    }

    /// Whether it still runs.
    pub fn runs(self) -> bool {
        Started::now(self.pid) == Some(self)
    }

    /// `PID START`, as an entry has it.
    pub(crate) fn from_words(words: &str) -> Option<Started> {
        let (pid, start) = words.split_once(' ')?;
        Some(Started {
            pid: Pid::from_raw(pid.parse().ok()?),
            start: start.parse().ok()?,
        })
    }
}
// ANCHOR_END: all

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_another_start_time_is_another_process() {
        let myself = Started::now(Pid::this()).unwrap();
        assert!(myself.runs());
        assert!(
            !Started {
                start: myself.start + 1,
                ..myself
            }
            .runs()
        );
    }
}
