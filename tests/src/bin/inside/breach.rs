//! An attacker who is root inside: takes away what a container has mounted over the host's files,
//! in all the ways that mount(2) has, and looks each time what that uncovers.
//!
//! It opens and reads, and writes nothing. A line `gain …` is a mount that it could take
//! away or make, a line `reached …` a file that it got to by that.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
    unistd::{getgid, getuid},
};

/// What the attacker wants, and from where it tries.
#[derive(clap::Args)]
pub struct Breach {
    /// First makes a namespace of this kind (repeatable)
    #[arg(long)]
    unshare: Vec<Kind>,
    /// A file or folder that nobody inside may read
    #[arg(long)]
    read: Vec<PathBuf>,
    /// A file that nobody inside may open for writing
    #[arg(long)]
    write: Vec<PathBuf>,
    #[arg(skip)]
    reached: BTreeSet<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Mount,
    User,
    Pid,
}

const NONE: Option<&str> = None;
/// What a mount may lose in no way.
const FLAGS: [&str; 3] = ["ro", "nosuid", "nodev"];

/// One line of mountinfo: its point, and its own flags.
struct Mount {
    point: PathBuf,
    flags: Vec<String>,
    kind: String,
}

impl Breach {
    /// Tries everything.
    pub fn run(mut self) -> anyhow::Result<()> {
        if !self.unshare.is_empty() {
            return self.run_in_new_namespaces();
        }
        self.look("at first", &[]);
        self.remount()?;
        self.see_another_way()?;
        self.unmount()?;
        println!("done");
        Ok(())
    }

    /// Starts this program again, in namespaces of its own.
    fn run_in_new_namespaces(&self) -> anyhow::Result<()> {
        let flag = |kind: &Kind| match kind {
            Kind::Mount => CloneFlags::CLONE_NEWNS,
            Kind::User => CloneFlags::CLONE_NEWUSER,
            Kind::Pid => CloneFlags::CLONE_NEWPID,
        };
        let (uid, gid) = (getuid(), getgid());
        if let Err(errno) = unshare(self.unshare.iter().map(flag).collect()) {
            println!("no new namespace: {errno:?}\ndone");
            return Ok(());
        }
        if self.unshare.contains(&Kind::User) {
            for (file, text) in [
                ("setgroups", "deny".into()),
                ("gid_map", format!("0 {gid} 1")),
                ("uid_map", format!("0 {uid} 1")),
            ] {
                fs::write(format!("/proc/self/{file}"), text).with_context(|| file.to_owned())?;
            }
        }
        let mut again = Command::new("/proc/self/exe");
        again.arg("breach");
        for (option, paths) in [("--read", &self.read), ("--write", &self.write)] {
            again.args(paths.iter().flat_map(|path| [OsStr::new(option), path.as_os_str()]));
        }
        again.status().context("start again")?;
        Ok(())
    }

    /// Takes flags away: of each mount, of a whole file system, and of all mounts at once.
    fn remount(&mut self) -> anyhow::Result<()> {
        let before = mounts()?;
        let kept = [MsFlags::empty(), MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC];
        for Mount { point, kind, .. } in &before {
            for flags in kept {
                let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | flags;
                let _ = mount(NONE, point, NONE, flags, NONE);
            }
            if ["proc", "sysfs"].contains(&&**kind) {
                let _ = mount(NONE, point, NONE, MsFlags::MS_REMOUNT, NONE);
            }
            let _ = clear_flags(point, 0);
        }
        let _ = clear_flags(Path::new("/"), libc::AT_RECURSIVE);
        for (old, new) in before.iter().zip(mounts()?) {
            for flag in FLAGS {
                let has = |mount: &Mount| mount.flags.iter().any(|other| other == flag);
                if has(old) && !has(&new) {
                    println!("gain {} without {flag}", old.point.display());
                }
            }
        }
        self.look("by mount -o remount", &[]);
        Ok(())
    }

    /// Mounts once more what is covered, or moves it from under its cover.
    fn see_another_way(&mut self) -> anyhow::Result<()> {
        let empty = place("empty")?;
        for (what, kind) in [("/proc", "proc"), ("/sys", "sysfs")] {
            let (anew, alone, over) = (place(kind)?, place("alone")?, place("over")?);
            let closed = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
            for flags in [MsFlags::empty(), closed, closed | MsFlags::MS_RDONLY] {
                if mount(Some(kind), &anew, Some(kind), flags, NONE).is_ok() {
                    self.look("by mount -t", &[(what, &anew)]);
                    if kind == "proc" {
                        println!("gain {kind} mounted anew");
                    }
                }
            }
            if mount(Some(what), &alone, NONE, MsFlags::MS_BIND, NONE).is_ok() {
                self.look("by mount --bind", &[(what, &alone)]);
            }
            let lower = format!("lowerdir={what}:{}", empty.display());
            if mount(NONE, &over, Some("overlay"), MsFlags::empty(), Some(&*lower)).is_ok() {
                self.look("by mount -t overlay", &[(what, &over)]);
            }
        }
        let aside = place("aside")?;
        for Mount { point, .. } in theirs()? {
            if mount(Some(&point), &aside, NONE, MsFlags::MS_MOVE, NONE).is_ok() {
                println!("gain {} moved away", point.display());
                self.look("by mount --move", &[]);
                let _ = mount(Some(&aside), &point, NONE, MsFlags::MS_MOVE, NONE);
            }
        }
        Ok(())
    }

    /// Unmounts all that was there, the last first; not the root.
    fn unmount(&mut self) -> anyhow::Result<()> {
        for Mount { point, .. } in theirs()?.iter().rev() {
            if umount2(point, MntFlags::MNT_DETACH).is_ok() {
                println!("gain {} unmounted", point.display());
                self.look("by umount", &[]);
            }
        }
        Ok(())
    }

    /// What can be reached now that could not be before, at its own path and at others.
    fn look(&mut self, when: &str, elsewhere: &[(&str, &PathBuf)]) {
        for (path, is_to_read) in self.goals() {
            let others = elsewhere
                .iter()
                .filter_map(|(from, to)| Some(to.join(path.strip_prefix(from).ok()?)));
            for place in others.chain([path.clone()]) {
                let (how, found) = if is_to_read {
                    ("read", read(&place))
                } else {
                    ("write", open_for_writing(&place))
                };
                match found {
                    Ok(()) => {
                        println!("reached {} to {how} {when}", place.display());
                        self.reached.insert(path.clone());
                    }
                    Err(error) if when == "at first" => {
                        println!("refused {} to {how}: {error}", place.display());
                    }
                    Err(_) => {}
                }
            }
        }
    }

    /// What has not been reached yet, and whether it is to be read.
    fn goals(&self) -> Vec<(PathBuf, bool)> {
        let all = self.read.iter().map(|path| (path, true));
        all.chain(self.write.iter().map(|path| (path, false)))
            .filter(|(path, _)| !self.reached.contains(*path))
            .map(|(path, is_to_read)| (path.clone(), is_to_read))
            .collect()
    }
}

/// A folder for the attacker's own mounts.
fn place(name: &str) -> anyhow::Result<PathBuf> {
    let place = Path::new("/tmp/breach").join(name);
    fs::create_dir_all(&place).with_context(|| format!("make {}", place.display()))?;
    Ok(place)
}

/// ENODATA where there is nothing.
fn read(path: &Path) -> io::Result<()> {
    let found = if path.is_dir() {
        fs::read_dir(path)?.take(2).count()
    } else {
        let mut file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        file.read(&mut [0; 64])?
    };
    if found > 0 {
        Ok(())
    } else {
        Err(Errno::ENODATA.into())
    }
}

/// Only opens it.
fn open_for_writing(path: &Path) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .map(drop)
}

/// The mounts that the attacker has found here, but for the root.
fn theirs() -> anyhow::Result<Vec<Mount>> {
    let is_theirs = |mount: &Mount| !mount.point.starts_with("/tmp/breach");
    Ok(mounts()?.into_iter().filter(is_theirs).skip(1).collect())
}

/// The mounts of this namespace, the lower first.
fn mounts() -> anyhow::Result<Vec<Mount>> {
    let text = fs::read_to_string("/proc/self/mountinfo").context("read mountinfo")?;
    let mount = |line: &str| {
        let (own, filesystem) = line.split_once(" - ")?;
        let mut own = own.split(' ').skip(4);
        Some(Mount {
            point: own.next()?.into(),
            flags: own.next()?.split(',').map(str::to_owned).collect(),
            kind: filesystem.split(' ').next()?.to_owned(),
        })
    };
    Ok(text.lines().filter_map(mount).collect())
}

/// mount_setattr(2), since Linux 5.12.
fn clear_flags(point: &Path, how: libc::c_int) -> nix::Result<()> {
    let point =
        std::ffi::CString::new(point.as_os_str().as_encoded_bytes()).map_err(|_| Errno::EINVAL)?;
    let clear = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
    let attributes = [0, clear, 0, 0]; // what it sets and clears, a propagation, and an fd
    // SAFETY: the kernel reads the path, which ends with a zero, and four numbers of 64 bits.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            point.as_ptr(),
            how,
            attributes.as_ptr(),
            size_of_val(&attributes),
        )
    };
    Errno::result(done).map(drop)
}
