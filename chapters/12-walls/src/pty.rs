// ANCHOR: pty
//! What does a container get in place of the caller's terminal?
//!
//! A process that has your terminal open can read what you type to your shell, and can type for you
//! (TIOCSTI). So `-t` gives the command a pseudoterminal: the *slave* is a terminal like any other,
//! and what is written to the *master* is what is typed there. The container gets the slave only,
//! and in a session of its own: it cannot reach your terminal by any name.
//!
//! Nobody walks a path to the slave, so no one inside can put something else in its place
//! (CVE-2025-52565): the kernel opens the one that belongs to the master (TIOCGPTPEER).
//! Source: pty(7), ioctl_tty(2), TIOCGPTPEER(2const), devpts in the kernel's documentation.

use std::{
    fs::{File, OpenOptions},
    io::{self, stderr, stdin, stdout},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    },
};

use anyhow::{Context, ensure};
use ch05_user_idmap::User;
use ch11_nsenter::Target;
use lab::info;
use nix::{
    sys::{
        statfs::{DEVPTS_SUPER_MAGIC, fstatfs},
        termios::tcgetsid,
    },
    unistd::{dup2_stderr, dup2_stdin, dup2_stdout, getsid, isatty},
};
use rustix::{
    fs::{Mode, OFlags, ResolveFlags, fcntl_setfl, openat2},
    mount::{
        FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount,
        fsopen,
    },
    process::ioctl_tiocsctty,
    pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt},
};

use crate::place::Place;

/// The device number of a multiplexer: each open(2) of it makes a pseudoterminal.
const PTMX: u64 = libc::makedev(5, 2);

/// A pseudoterminal that nobody else has open.
#[derive(Debug)]
pub struct Pty {
    pub(crate) master: OwnedFd,
    pub(crate) slave: OwnedFd,
}

impl Pty {
    /// The one of this master, whose slave belongs to `owner` from now on.
    ///
    /// # Errors
    ///
    /// ENOTTY: it is no master; ENOSPC: there are too many.
    pub fn of(master: OwnedFd, owner: User) -> anyhow::Result<Pty> {
        // A full master must not stop the thread that would hear of a Ctrl-C.
        fcntl_setfl(&master, OFlags::RDWR | OFlags::NONBLOCK).context("fcntl of the pty")?;
        unlockpt(&master).context("TIOCSPTLCK: unlock the pty")?;
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let slave = ioctl_tiocgptpeer(&master, flags).context("TIOCGPTPEER: open the slave")?;
        belong_to(&slave, owner)?;
        Ok(Pty { master, slave })
    }
}

/// An ordinary user may give nothing away: then the command can use the terminal, and not open it
/// a second time.
fn belong_to(slave: &OwnedFd, owner: User) -> anyhow::Result<()> {
    match fchown(slave, Some(owner.uid), Some(owner.gid)) {
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => Ok(()),
        other => other.with_context(|| format!("chown the pty to {}", owner.uid)),
    }
}
// ANCHOR_END: pty

// ANCHOR: devpts
/// A file system for the container's pseudoterminals, not attached yet. Each new one is empty, and
/// shows no terminal of another.
///
/// # Errors
///
/// EPERM without CAP_SYS_ADMIN in the user namespace that owns the mount namespace.
pub fn new_devpts() -> anyhow::Result<OwnedFd> {
    let make = || {
        let devpts = fsopen("devpts", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_string(&devpts, "mode", "0620")?;
        fsconfig_set_string(&devpts, "ptmxmode", "0666")?;
        fsconfig_create(&devpts)?;
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        fsmount(&devpts, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
    };
    make().context("make a devpts")
}

/// The master of a new pseudoterminal in this devpts, before anybody is inside.
///
/// # Errors
///
/// ENOSPC: the machine has as many as kernel.pty.max allows.
pub fn master_in(devpts: impl AsFd) -> anyhow::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::openat(devpts, "ptmx", flags, Mode::empty()).context("open the container's ptmx")
}

/// The master of a new pseudoterminal in the devpts of a container that runs. Where it has none,
/// it is the machine's: its slave, too, is a device that leads nowhere else.
///
/// # Errors
///
/// As [`master_in`].
pub fn master_for(target: &Target) -> anyhow::Result<OwnedFd> {
    match find_ptmx(target)? {
        Some(ptmx) => {
            let mut options = OpenOptions::new();
            options.read(true).write(true).custom_flags(libc::O_NOCTTY);
            let master = options.open(ptmx.path()).context("open the container's ptmx")?;
            Ok(master.into())
        }
        None => {
            info!("the target has no devpts: the pty is the machine's");
            master_of_machine()
        }
    }
}

/// The master of a new pseudoterminal of the machine.
///
/// # Errors
///
/// As [`master_in`].
pub fn master_of_machine() -> anyhow::Result<OwnedFd> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    openpt(flags).context("open /dev/ptmx")
}

/// The multiplexer in the root of the target. Whatever root inside has put there: no link is
/// followed, and nothing is opened that is no multiplexer of a devpts.
fn find_ptmx(target: &Target) -> anyhow::Result<Option<Place>> {
    let root = target.root_folder()?;
    let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(found) = openat2(root, "dev/pts/ptmx", flags, Mode::empty(), inside) else {
        return Ok(None);
    };
    let is_devpts = fstatfs(&found).context("statfs")?.filesystem_type() == DEVPTS_SUPER_MAGIC;
    let found = Place::from(found);
    Ok((is_devpts && found.is_device(PTMX)?).then_some(found))
}
// ANCHOR_END: devpts

// ANCHOR: inside
/// INIT, with its streams: a terminal among them becomes the one of its session, and this user's.
/// Then Ctrl-C and Ctrl-Z typed there are signals to the session's foreground.
///
/// # Errors
///
/// EPERM: it is another session's.
pub fn take_terminal(user: Option<User>) -> anyhow::Result<()> {
    let Some(terminal) = own_terminal()? else {
        return Ok(());
    };
    if tcgetsid(&terminal).ok() != Some(getsid(None)?) {
        ioctl_tiocsctty(&terminal).context("TIOCSCTTY: the session's terminal")?;
    }
    user.map_or(Ok(()), |user| belong_to(&terminal, user))
}

/// init: opens its terminal again, by the name that it has inside. (The keeper's descriptor shows
/// inside by which path the keeper has mounted it.) Nobody else is inside yet.
///
/// # Errors
///
/// As open(2), dup2(2).
pub fn reopen_terminal() -> anyhow::Result<()> {
    let Some(terminal) = own_terminal()?.map(File::from) else {
        return Ok(());
    };
    let data = terminal.metadata().context("stat the terminal")?;
    let name = format!("/dev/pts/{}", libc::minor(data.rdev()));
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_NOCTTY);
    let again = match options.open(&name) {
        // A root without a folder /dev.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.with_context(|| format!("open {name}"))?,
    };
    let same = again.metadata().with_context(|| format!("stat {name}"))?;
    ensure!(
        (same.dev(), same.ino()) == (data.dev(), data.ino()),
        "{name} is another terminal"
    );
    for (number, is_terminal) in terminals().into_iter().enumerate() {
        let done = match number {
            0 if is_terminal => dup2_stdin(&again),
            1 if is_terminal => dup2_stdout(&again),
            2 if is_terminal => dup2_stderr(&again),
            _ => Ok(()),
        };
        done.context("dup2 of the terminal")?;
    }
    Ok(())
}

/// This process's own terminal. It has taken its streams before.
fn own_terminal() -> anyhow::Result<Option<OwnedFd>> {
    let copy = match terminals() {
        [true, ..] => stdin().as_fd().try_clone_to_owned(),
        [_, true, _] => stdout().as_fd().try_clone_to_owned(),
        [.., true] => stderr().as_fd().try_clone_to_owned(),
        _ => return Ok(None),
    };
    copy.map(Some).context("dup the terminal")
}

/// Which of this process's three streams are terminals.
pub(crate) fn terminals() -> [bool; 3] {
    [isatty(stdin()), isatty(stdout()), isatty(stderr())].map(|is| is.unwrap_or(false))
}
// ANCHOR_END: inside
