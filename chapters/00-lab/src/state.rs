// ANCHOR: state
//! What is this process, at this moment?
//!
//! Read by system calls, because /proc can show another PID namespace than this process's. What
//! has no call comes from /proc/self, if it is there. What cannot be read is left out.
//!
//! | field | value | source |
//! |---|---|---|
//! | `program` | the file name in `argv[0]` | execve(2) |
//! | `pid` | in its own PID namespace | getpid(2) |
//! | `outside` | its pid in /proc, if that shows a namespace above | `NSpid`, proc_pid_status(5) |
//! | `uid`, `gid` | effective, in its own user namespace | geteuid(2), getegid(2) |
//! | `capabilities` | effective: `none`, `all`, or how many | capget(2), PR_CAPBSET_READ |
//! | `hostname` | | uname(2) |
//! | `root` | `same` as the run's first process's? `type` of file system | stat(2), statfs(2) |
//! | `network` | `same`, likewise; `lo` is `up` or `down` | SO_NETNS_COOKIE, netdevice(7) |
//! | `cgroup` | its group in the hierarchy that limits memory | proc_pid_cgroup(5) |
//! | `namespaces` | kind → inode number | namespaces(7) |

use std::{
    env, fs,
    mem::zeroed,
    os::{
        fd::AsRawFd,
        unix::{fs::MetadataExt, net::UnixDatagram},
    },
    path::Path,
    process,
};

use nix::unistd::{getegid, geteuid, gethostname};
use rustix::{fs::statfs, thread::capabilities as capget};

use crate::{Kind, outside::Outside, records::quoted};

/// Names and values; a value is JSON.
pub(crate) type State = Vec<(&'static str, String)>;

/// What this process is now.
pub(crate) fn read(first: &Outside) -> State {
    let fields = [
        ("program", program()),
        ("pid", Some(process::id().to_string())),
        ("outside", outside()),
        ("uid", Some(geteuid().to_string())),
        ("gid", Some(getegid().to_string())),
        ("capabilities", capabilities()),
        ("hostname", gethostname().ok().map(|name| text(&name.to_string_lossy()))),
        ("root", root(first)),
        ("network", network(first)),
        ("cgroup", cgroup()),
        ("namespaces", namespaces()),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// A string of JSON, of its end if it is long: a path can be longer than a line may be.
fn text(text: &str) -> String {
    const LONGEST: usize = 200;
    match text.char_indices().nth_back(LONGEST) {
        Some((end, _)) => quoted(&format!("… {}", &text[end..])),
        None => quoted(text),
    }
}

/// An object of JSON with the fields that are known.
fn object<const N: usize>(fields: [(&str, Option<String>); N]) -> Option<String> {
    let known =
        |(name, value): (&str, Option<String>)| Some(format!("{}:{}", quoted(name), value?));
    let pieces: Vec<String> = fields.into_iter().filter_map(known).collect();
    (!pieces.is_empty()).then(|| format!("{{{}}}", pieces.join(",")))
}

fn program() -> Option<String> {
    let argv0 = env::args_os().next()?;
    Some(text(&Path::new(&argv0).file_name()?.to_string_lossy()))
}

/// NSpid has a number for each PID namespace from the one that /proc shows down to its own.
fn outside() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let pids = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    let pids: Vec<u32> = pids.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
    match pids[..] {
        [outside, .., _] => Some(outside.to_string()),
        _ => None,
    }
}

fn capabilities() -> Option<String> {
    let own = capget(None).ok()?.effective.bits();
    // SAFETY: PR_CAPBSET_READ takes numbers.
    let is_known =
        |number: &u64| unsafe { libc::prctl(libc::PR_CAPBSET_READ, *number, 0, 0, 0) } >= 0;
    let known = (0..64).take_while(is_known).count() as u32;
    Some(match own.count_ones() {
        0 => quoted("none"),
        all if all == known => quoted("all"),
        some => some.to_string(),
    })
}

fn root(first: &Outside) -> Option<String> {
    let same = Some(first.has_this_root().to_string());
    object([("same", same), ("type", file_system().map(quoted))])
}

/// The type of the file system that / is on, if it is a usual one (statfs(2) lists the numbers).
pub(crate) fn file_system() -> Option<&'static str> {
    Some(match statfs("/").ok()?.f_type as u32 {
        0xef53 => "ext4",
        0x9123_683e => "btrfs",
        0x5846_5342 => "xfs",
        0x0102_1994 => "tmpfs",
        0x794c_7630 => "overlay",
        0x6175_6673 => "aufs",
        _ => return None,
    })
}

fn network(first: &Outside) -> Option<String> {
    let same = first.has_this_network().map(|same| same.to_string());
    object([("same", same), ("lo", loopback().map(quoted))])
}

/// Whether `lo` is up in this process's network namespace.
fn loopback() -> Option<&'static str> {
    let socket = UnixDatagram::unbound().ok()?;
    // SAFETY: an ifreq is numbers and pointers, and a null pointer is valid: all zeroes is one.
    let mut request: libc::ifreq = unsafe { zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    // SAFETY: SIOCGIFFLAGS reads the name from and writes the flags to an ifreq.
    let read =
        unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS as libc::Ioctl, &mut request) };
    // SAFETY: where the call succeeds, it has filled the union's flags.
    let is_up = || unsafe { request.ifr_ifru.ifru_flags } & libc::IFF_UP as libc::c_short != 0;
    (read == 0).then(|| if is_up() { "up" } else { "down" })
}

/// On v1, each controller has a hierarchy and a line; on v2 there is one line, `0::PATH`.
fn cgroup() -> Option<String> {
    let lines = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mut groups = lines.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        rest.split_once(':')
    });
    let limits_memory =
        |(controllers, _): &(&str, &str)| controllers.split(',').any(|one| one == "memory");
    let of_memory = groups.clone().find(limits_memory);
    let of_v2 = groups.find(|(controllers, _)| controllers.is_empty());
    of_memory.or(of_v2).map(|(_, path)| text(path))
}

fn namespaces() -> Option<String> {
    let inode =
        |kind: Kind| Some(fs::metadata(format!("/proc/self/ns/{}", kind.file())).ok()?.ino());
    object(Kind::ALL.map(|kind| (kind.file(), inode(kind).map(|inode| inode.to_string()))))
}
// ANCHOR_END: state
