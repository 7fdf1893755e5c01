//! Does this run on a machine's own Linux, or in a place with walls, and what helps there?
//!
//! The files of /proc tell, and the marks that the engines of containers leave.

use std::{fs, path::Path};

/// What has a kernel, or walls, of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Linux on a machine, real or virtual.
    Machine,
    /// The first version of the Windows Subsystem for Linux: no Linux kernel.
    Wsl1,
    /// The second: a virtual machine of Microsoft's.
    Wsl2,
    /// A kernel in a program of its own, which knows a part of Linux's system calls.
    Gvisor,
    /// A container of Docker's, or of something that leaves its mark.
    Docker,
    /// A container of podman's.
    Podman {
        /// Whether an ordinary user has started it.
        rootless: bool,
    },
}

/// What in a container refuses what the chapters do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walls {
    /// A seccomp filter.
    pub filter: bool,
    /// Mounts that hide parts of /proc: the kernel then mounts no new proc in a user namespace.
    pub masks: bool,
    /// AppArmor's profile for it.
    pub profile: Option<String>,
    /// It is root without CAP_SYS_ADMIN: chapters 1 to 4 take it for root.
    pub weak_root: bool,
}

/// Where this runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is.
    pub kind: Kind,
    /// What stands around this process.
    pub walls: Walls,
    /// AppArmor takes an ordinary user's capabilities away in a user namespace (Ubuntu 23.10 and
    /// later).
    pub restricts: bool,
}

/// The words of gVisor's /proc/version, whatever the release is that it claims.
const GVISOR: [&str; 2] = ["gvisor", "#1 SMP Sun Jan 10 15:06:54 PST 2016"];

/// The mounts below /proc that hide nothing of it: their folders are there to be mounted on.
const HIDE_NOTHING: [&str; 3] = ["/proc/sys/fs/binfmt_misc", "/proc/fs/nfsd", "/proc/xen"];

impl Place {
    /// Of this process.
    pub fn this() -> Place {
        Place::below(Path::new("/"))
    }

    /// What the files below `root` say. A file that is not there says nothing.
    pub fn below(root: &Path) -> Place {
        let read = |name: &str| fs::read_to_string(root.join(name)).unwrap_or_default();
        let (status, mountinfo) = (read("proc/self/status"), read("proc/self/mountinfo"));
        let walls = Walls {
            filter: field(&status, "Seccomp:") == Some("2"),
            masks: masks(&mountinfo),
            weak_root: is_weak_root(&status),
            profile: profile(&read("proc/self/attr/current")),
        };
        // A machine may have been made of an image's files: the mark alone makes no container.
        let is_around = walls != Walls::default() || is_on_overlay(&mountinfo);
        let mark = (is_around && root.join(".dockerenv").exists()).then_some(Kind::Docker);
        let rootless = !has_all_ids(&read("proc/self/uid_map"));
        let mark = match root.join("run/.containerenv").exists() {
            true => Some(Kind::Podman { rootless }),
            false => mark,
        };
        let restricts = read("proc/sys/kernel/apparmor_restrict_unprivileged_userns");
        Place {
            kind: kind(&read("proc/version"), mark),
            walls,
            restricts: restricts.trim() == "1",
        }
    }

    /// Its name for a program.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Machine => "machine",
            Kind::Wsl1 => "wsl1",
            Kind::Wsl2 => "wsl2",
            Kind::Gvisor => "gvisor",
            Kind::Docker => "docker",
            Kind::Podman { rootless: false } => "podman",
            Kind::Podman { rootless: true } => "rootless-podman",
        }
    }

    /// Its name for a person, after `Linux …, `; none for a machine.
    pub fn title(&self) -> Option<&'static str> {
        Some(match self.kind {
            Kind::Machine => return None,
            Kind::Wsl1 => "in WSL 1",
            Kind::Wsl2 => "in WSL 2",
            Kind::Gvisor => "in gVisor",
            Kind::Docker => "in a Docker container",
            Kind::Podman { rootless: false } => "in a podman container",
            Kind::Podman { rootless: true } => "in a rootless podman container",
        })
    }

    /// What helps here where a chapter does not run.
    pub fn advice(&self) -> Option<String> {
        let has_walls = self.walls != Walls::default();
        Some(match self.kind {
            Kind::Wsl1 => "WSL 1 has no Linux kernel. In PowerShell, `wsl --list --verbose` shows \
                           your systems, and `wsl --set-version NAME 2` gives one a kernel."
                .into(),
            Kind::Gvisor => "gVisor is no Linux: it answers a part of its system calls. Start the \
                             container with another runtime (`docker run --runtime=runc`)."
                .into(),
            Kind::Docker if has_walls => self.container("docker run", "systempaths=unconfined"),
            Kind::Podman { .. } if has_walls => self.container("podman run", "unmask=ALL"),
            _ if self.restricts => RESTRICTED.into(),
            _ => return None,
        })
    }

    fn container(&self, command: &str, unmasked: &str) -> String {
        let options = [
            (self.walls.filter, "seccomp=unconfined"),
            (self.walls.profile.is_some(), "apparmor=unconfined"),
            (self.walls.masks, unmasked),
        ];
        let needed = options.iter().filter(|(is_needed, _)| *is_needed);
        let options: String =
            needed.map(|(_, option)| format!(" --security-opt {option}")).collect();
        let host = match self.restricts {
            true => format!(" And on its host: {RESTRICTED}"),
            false => String::new(),
        };
        format!(
            "The container's walls refuse it. Start it as an ordinary user and without them: \
             `{command} --user 1000{options}`.{host}"
        )
    }
}

/// The way out where AppArmor restricts user namespaces.
const RESTRICTED: &str = "AppArmor restricts user namespaces: `sudo sysctl -w \
                          kernel.apparmor_restrict_unprivileged_userns=0` allows them until the \
                          next boot.";

/// From /proc/version, and from the mark of an engine.
fn kind(version: &str, mark: Option<Kind>) -> Kind {
    let release = version.split_whitespace().nth(2).unwrap_or_default().to_lowercase();
    let is_microsofts = release.contains("microsoft");
    let is_second = release.contains("microsoft-standard") || release.contains("wsl2");
    match mark {
        _ if GVISOR.iter().any(|words| version.contains(words)) => Kind::Gvisor,
        _ if is_microsofts && !is_second => Kind::Wsl1,
        Some(kind) => kind,
        None if is_second => Kind::Wsl2,
        None => Kind::Machine,
    }
}

/// Whether a mount below /proc hides a part of it (mountinfo: the fifth word is the mount point).
fn masks(mountinfo: &str) -> bool {
    let points = mountinfo.lines().filter_map(|line| line.split(' ').nth(4));
    let mut points = points.filter(|point| point.starts_with("/proc/"));
    points.any(|point| !HIDE_NOTHING.contains(&point))
}

/// From /proc/self/attr/current: `docker-default (enforce)`. SELinux has labels there, with colons.
fn profile(current: &str) -> Option<String> {
    let current = current.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    let (profile, _mode) = current.rsplit_once(" (")?;
    (!profile.contains(':') && profile != "unconfined").then(|| profile.to_owned())
}

/// Whether each id is itself outside: the first user namespace.
fn has_all_ids(uid_map: &str) -> bool {
    uid_map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// From /proc/self/status: uid 0, and no bit for CAP_SYS_ADMIN.
fn is_weak_root(status: &str) -> bool {
    let is_root =
        field(status, "Uid:").is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0"));
    let effective = field(status, "CapEff:").and_then(|set| u64::from_str_radix(set, 16).ok());
    is_root && effective.is_some_and(|set| set & (1 << 21) == 0)
}

/// Whether the root is an overlay (mountinfo: the type comes after the dash).
fn is_on_overlay(mountinfo: &str) -> bool {
    mountinfo.lines().any(|line| {
        let kind = line.split(" - ").nth(1).and_then(|rest| rest.split(' ').next());
        line.split(' ').nth(4) == Some("/") && kind == Some("overlay")
    })
}

/// The value of a line `KEY VALUE` of /proc/self/status.
fn field<'a>(status: &'a str, key: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim)
}

#[cfg(test)]
mod tests;
