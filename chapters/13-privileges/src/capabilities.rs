// ANCHOR: set
//! Which parts of root's power does a process have?
//!
//! The kernel splits root's power into capabilities, and asks for one of them where it used to ask
//! for uid 0.
//!
//! Source: capabilities(7).

use std::{fmt, fs};

use anyhow::{Context, anyhow, ensure};
use nix::unistd::Pid;
use rustix::{io::Errno, thread::capability_is_in_bounding_set};

use crate::sets::one;

/// The capabilities by number: 41 since Linux 5.9.
pub const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// What root in a container of Docker has (`docker run`, "Runtime privilege and Linux
/// capabilities"; the same in its source, daemon/pkg/oci/caps/defaults.go).
const OF_DOCKER: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// A set of capabilities.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CapabilitySet(u64);

impl CapabilitySet {
    /// None.
    pub const NONE: CapabilitySet = CapabilitySet(0);

    /// All that have a name here.
    pub const ALL: CapabilitySet = CapabilitySet((1 << NAMES.len()) - 1);

    /// Docker's default.
    pub fn of_docker() -> CapabilitySet {
        OF_DOCKER.iter().fold(CapabilitySet::NONE, |set, name| match number(name) {
            Some(number) => set.with(number),
            None => set,
        })
    }

    /// Docker's default, less `drop` and then with `add`. `ALL` in `add` is all less `drop`; `ALL`
    /// in `drop` is just `add`. So the order of the options does not matter. What this kernel does
    /// not have is left out of `ALL`.
    ///
    /// # Errors
    ///
    /// A name is unknown, or this kernel does not have what you add.
    pub fn chosen(add: &[String], drop: &[String]) -> anyhow::Result<CapabilitySet> {
        CapabilitySet::chosen_of(CapabilitySet::of_kernel()?, add, drop)
    }

    fn chosen_of(
        kernels: CapabilitySet,
        add: &[String],
        drop: &[String],
    ) -> anyhow::Result<CapabilitySet> {
        let ((adds_all, added), (drops_all, dropped)) =
            (parse("--cap-add", add)?, parse("--cap-drop", drop)?);
        if let Some(name) = added.less(kernels).names().next() {
            let last = kernels.names().last().unwrap_or_default();
            return Err(anyhow!(
                "--cap-add {name}: this kernel does not have it: its last is {last}"
            ));
        }
        let known = CapabilitySet::ALL.and(kernels);
        Ok(match (adds_all, drops_all) {
            (true, _) => known.less(dropped),
            (false, true) => added,
            (false, false) => CapabilitySet::of_docker().and(known).less(dropped).or(added),
        })
    }

    /// All that the running kernel has, with a name here or without: PR_CAPBSET_READ is EINVAL for
    /// others.
    fn of_kernel() -> anyhow::Result<CapabilitySet> {
        let mut set = CapabilitySet::NONE;
        for number in 0..u64::BITS {
            match capability_is_in_bounding_set(one(number)) {
                Err(Errno::INVAL) => break,
                other => other.context("prctl PR_CAPBSET_READ")?,
            };
            set = set.with(number);
        }
        Ok(set)
    }

    /// The bounding set of a process: no execve(2) gives it more.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn of_process(pid: Pid) -> anyhow::Result<CapabilitySet> {
        let file = format!("/proc/{pid}/status");
        let status = fs::read(&file).with_context(|| format!("read {file}"))?;
        let status = String::from_utf8_lossy(&status); // a program's name may be no UTF-8
        let line = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
        let set = line.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
        set.map(CapabilitySet).with_context(|| format!("{file} has no CapBnd"))
    }

    /// The set with these bits.
    pub fn from_bits(bits: u64) -> CapabilitySet {
        CapabilitySet(bits)
    }

    /// One bit for each capability, as in CapBnd of /proc/PID/status.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// What is in both.
    #[must_use]
    pub fn and(self, other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(self.0 & other.0)
    }

    /// What is in one of them.
    #[must_use]
    pub fn or(self, other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(self.0 | other.0)
    }

    /// What is not in `other`.
    #[must_use]
    pub fn less(self, other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(self.0 & !other.0)
    }

    /// Whether it has the capability of this name.
    pub fn has(self, name: &str) -> bool {
        number(name).is_some_and(|number| self.0 & 1 << number != 0)
    }

    fn with(self, number: u32) -> CapabilitySet {
        CapabilitySet(self.0 | 1 << number)
    }

    /// The names, by number.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let is_in = move |(number, _): &(usize, &&str)| self.0 & 1 << number != 0;
        NAMES.iter().enumerate().filter(is_in).map(|(_, name)| *name)
    }
}

/// The names, or how it differs from Docker's set, whichever is shorter.
impl fmt::Display for CapabilitySet {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let docker = CapabilitySet::of_docker();
        let (more, less) = (self.less(docker), docker.less(*self));
        let names = |set: CapabilitySet| set.names().collect::<Vec<_>>().join(" ");
        if *self == CapabilitySet::NONE {
            return f.write_str("none");
        }
        if self.and(CapabilitySet::ALL) == CapabilitySet::ALL {
            return write!(f, "all {}", NAMES.len());
        }
        if more.names().count() + less.names().count() >= self.names().count() {
            return f.write_str(&names(*self));
        }
        f.write_str("Docker's 14")?;
        if more != CapabilitySet::NONE {
            write!(f, " with {}", names(more))?;
        }
        if less != CapabilitySet::NONE {
            write!(f, " without {}", names(less))?;
        }
        Ok(())
    }
}

impl fmt::Debug for CapabilitySet {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The number of a capability, by its name with CAP_ or without, in capitals or not.
pub fn number(name: &str) -> Option<u32> {
    let name = name.to_ascii_uppercase();
    let name = name.strip_prefix("CAP_").unwrap_or(&name);
    let index = NAMES.iter().position(|other| *other == name);
    index.map(|index| index as u32)
}

/// Whether ALL is among the names, and the set of the others.
fn parse(option: &str, names: &[String]) -> anyhow::Result<(bool, CapabilitySet)> {
    let (mut all, mut set) = (false, CapabilitySet::NONE);
    for name in names {
        match number(name) {
            Some(number) => set = set.with(number),
            None => {
                ensure!(
                    name.eq_ignore_ascii_case("ALL"),
                    "{option} {name:?}: there is no such capability: capabilities(7) lists them"
                );
                all = true;
            }
        }
    }
    Ok((all, set))
}
// ANCHOR_END: set

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests;
