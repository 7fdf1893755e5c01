// ANCHOR: kinds
//! Which kinds of namespaces are there, and what is each called where?

use std::{fmt, ops::BitOr};

/// A kind of namespace (namespaces(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Kind {
    /// Ids and capabilities. The first that is joined: it gives the capabilities for the others.
    User = libc::CLONE_NEWUSER,
    /// Mounts.
    Mount = libc::CLONE_NEWNS,
    /// Process ids.
    Pid = libc::CLONE_NEWPID,
    /// Hostname and domain name.
    Uts = libc::CLONE_NEWUTS,
    /// System V objects and POSIX message queues.
    Ipc = libc::CLONE_NEWIPC,
    /// Interfaces, addresses, routes, ports.
    Network = libc::CLONE_NEWNET,
    /// The root of the cgroup paths that are shown.
    Cgroup = libc::CLONE_NEWCGROUP,
    /// The offsets of two clocks.
    Time = libc::CLONE_NEWTIME,
}

impl Kind {
    /// All of them, in the order in which they are joined.
    pub const ALL: [Kind; 8] = [
        Kind::User,
        Kind::Mount,
        Kind::Pid,
        Kind::Uts,
        Kind::Ipc,
        Kind::Network,
        Kind::Cgroup,
        Kind::Time,
    ];

    /// As a person says it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Mount => "mount",
            Kind::Pid => "PID",
            Kind::Uts => "UTS",
            Kind::Ipc => "IPC",
            Kind::Network => "network",
            Kind::Cgroup => "cgroup",
            Kind::Time => "time",
        }
    }

    /// Its file in /proc/PID/ns, and the middle of its limit's name, `user.max_…_namespaces`.
    pub fn file(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Mount => "mnt",
            Kind::Pid => "pid",
            Kind::Uts => "uts",
            Kind::Ipc => "ipc",
            Kind::Network => "net",
            Kind::Cgroup => "cgroup",
            Kind::Time => "time",
        }
    }

    /// The file in /proc/sys/user with the most of this kind that there may be (namespaces(7)).
    pub fn limit(self) -> String {
        format!("max_{}_namespaces", self.file())
    }
}

/// A set of kinds of namespaces. No other flag of clone(2) fits in, so none can be asked for by
/// mistake that would share memory with the child.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Namespaces(i32);

impl Namespaces {
    /// No kind.
    pub const NONE: Namespaces = Namespaces(0);

    /// One kind.
    pub const fn of(kind: Kind) -> Namespaces {
        Namespaces(kind as i32)
    }

    /// These and those.
    pub const fn and(self, other: Namespaces) -> Namespaces {
        Namespaces(self.0 | other.0)
    }

    /// Whether this kind is among them.
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & kind as i32 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// As the flags `CLONE_NEW…`.
    pub const fn bits(self) -> i32 {
        self.0
    }

    /// The kinds in it, in the order of [`Kind::ALL`].
    pub fn kinds(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }
}

impl BitOr for Namespaces {
    type Output = Namespaces;

    fn bitor(self, other: Namespaces) -> Namespaces {
        self.and(other)
    }
}

impl FromIterator<Kind> for Namespaces {
    fn from_iter<T: IntoIterator<Item = Kind>>(kinds: T) -> Namespaces {
        kinds.into_iter().fold(Namespaces::NONE, |all, kind| all | Namespaces::of(kind))
    }
}

/// As a person lists them: `user, mount, PID`.
impl fmt::Display for Namespaces {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.kinds().map(Kind::name).collect::<Vec<_>>().join(", "))
    }
}
// ANCHOR_END: kinds

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_listed_in_the_order_of_joining() {
        let set: Namespaces = [Kind::Uts, Kind::User].into_iter().collect();
        assert_eq!(set.to_string(), "user, UTS");
        assert_eq!(set.bits(), libc::CLONE_NEWUSER | libc::CLONE_NEWUTS);
        assert!(set.contains(Kind::User) && !set.contains(Kind::Ipc));
    }
}
