//! Who runs the stage, with which ids, groups and environment?
//!
//! A person who logs in has more than a uid: a group of their own, further groups, a short
//! PATH, and no TMPDIR. Where the judge is root and can choose, its ordinary user is such a
//! person, with a uid and a gid that no stage can know by heart.

use std::{ffi::OsString, io, os::unix::process::CommandExt, path::Path, process::Command, ptr};

use nix::{
    errno::Errno,
    sys::signal::{
        SaFlags, SigAction, SigHandler, SigSet,
        Signal::{self, SIGKILL, SIGSTOP},
        sigaction,
    },
    unistd::{getegid, geteuid},
};

/// The ordinary user's uid, where the judge is root.
const UID: u32 = 23001;
/// Their own group.
const GID: u32 = 23002;
/// A further group that they are in.
const FURTHER_GROUP: u32 = 23003;

/// Who runs the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// uid 0.
    Root,
    /// Any other uid.
    Ordinary,
}

impl User {
    /// The users as whom this process can judge.
    pub fn all() -> &'static [User] {
        if geteuid().is_root() {
            &[User::Root, User::Ordinary]
        } else {
            &[User::Ordinary]
        }
    }

    /// As it stands in a test's name.
    pub fn name(self) -> &'static str {
        match self {
            User::Root => "root",
            User::Ordinary => "user",
        }
    }

    /// The uid under which the stage runs.
    pub fn uid(self) -> u32 {
        match self {
            User::Root => 0,
            User::Ordinary if geteuid().is_root() => UID,
            User::Ordinary => geteuid().as_raw(),
        }
    }

    /// The gid under which the stage runs.
    pub fn gid(self) -> u32 {
        match self {
            User::Root => 0,
            User::Ordinary if geteuid().is_root() => GID,
            User::Ordinary => getegid().as_raw(),
        }
    }

    /// Whether this process must change its ids to run something as this user.
    pub fn is_another(self) -> bool {
        geteuid().is_root() && self == User::Ordinary
    }

    /// Gives a command this user's ids, and the environment of their login shell with `home` as
    /// the home folder.
    pub fn log_in(self, command: &mut Command, home: &Path) {
        let (name, path) = match self {
            User::Root => ("root", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            User::Ordinary => ("you", "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"),
        };
        let variables: [(&str, OsString); 6] = [
            ("PATH", path.into()),
            ("HOME", home.into()),
            ("USER", name.into()),
            ("LOGNAME", name.into()),
            ("SHELL", "/bin/sh".into()),
            // So that programs say the same words on every machine.
            ("LC_ALL", "C".into()),
        ];
        command.env_clear().envs(variables);
        // SAFETY: `hear_signals` makes system calls only: no lock, no allocation.
        unsafe { command.pre_exec(hear_signals) };
        if self.is_another() {
            // SAFETY: `become_ordinary` makes three system calls: no lock, no allocation.
            unsafe { command.pre_exec(become_ordinary) };
        }
    }
}

/// All signals do to this process what they do by default, and none is blocked, whatever the judge
/// has inherited: nohup(1) ignores SIGHUP, a script's `&` SIGINT and SIGQUIT, and posix_spawn(3)
/// of glibc its own two, 32 and 33.
fn hear_signals() -> io::Result<()> {
    let by_default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    for signal in Signal::iterator().filter(|signal| ![SIGKILL, SIGSTOP].contains(signal)) {
        // SAFETY: SIG_DFL installs no handler.
        unsafe { sigaction(signal, &by_default) }?;
    }
    for glibcs in [32, 33] {
        let by_default = [0_u64; 4]; // the kernel's struct: SIG_DFL, and no flags
        let none = ptr::null_mut::<u64>();
        // SAFETY: the kernel reads 32 bytes there; SIG_DFL installs no handler.
        let set = unsafe {
            libc::syscall(libc::SYS_rt_sigaction, glibcs, by_default.as_ptr(), none, 8_usize)
        };
        Errno::result(set)?;
    }
    Ok(SigSet::empty().thread_set_mask()?)
}

/// Root's process becomes the ordinary user, for good. By the system calls themselves: the
/// functions of the C library take locks to tell other threads.
fn become_ordinary() -> io::Result<()> {
    let groups = [GID, FURTHER_GROUP];
    // SAFETY: setgroups reads as many ids as it is told; the other two take numbers.
    unsafe {
        Errno::result(libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()))?;
        Errno::result(libc::syscall(libc::SYS_setresgid, GID, GID, GID))?;
        Errno::result(libc::syscall(libc::SYS_setresuid, UID, UID, UID))?;
    }
    Ok(())
}
