// ANCHOR: all
//! How can a process go into a container without lending it the program's own file?
//!
//! Inside, /proc/PID/exe of a process of ours is the file of this program on the host, and
//! it can be opened. Root in the container may keep it open until nobody executes it any
//! more, and then write to it: the next person who starts a container runs what is in it
//! now (CVE-2019-5736). So what goes inside is a copy in memory, sealed: nobody can write to
//! it, or make it longer or shorter, ever again. Source: memfd_create(2), fcntl(2).

use std::{
    env,
    ffi::CString,
    fs::File,
    io::{self, Read},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::process::CommandExt,
    },
    process::Command,
    thread,
    time::Duration,
};

use anyhow::{Context, anyhow};
use ch06_reexec::SELF;
use lab::info;
use lab::voice;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, SealFlag, fcntl},
    sys::{
        memfd::{MFdFlags, memfd_create},
        prctl,
    },
};

/// What nobody can do to the copy.
// ANCHOR: exercise-seals
pub const SEALS: SealFlag = SealFlag::F_SEAL_WRITE
    .union(SealFlag::F_SEAL_GROW)
    .union(SealFlag::F_SEAL_SHRINK)
    .union(SealFlag::F_SEAL_SEAL);
// ANCHOR_END: exercise-seals

/// `MFD_EXEC` (Linux 6.3): where vm.memfd_noexec is 1, a memfd is not executable without it.
const MFD_EXEC: MFdFlags = MFdFlags::from_bits_retain(0x10);

/// Makes sure that this process executes a sealed copy of its program: executes one, unless
/// it does already.
///
/// # Errors
///
/// This program's file cannot be read, or this machine executes nothing from memory
/// (vm.memfd_noexec is 2).
pub fn become_sealed_copy() -> anyhow::Result<()> {
    let mut program = File::open(SELF).with_context(|| format!("open {SELF}"))?;
    if is_sealed(&program) {
        info!("from a sealed copy of this program, in memory");
        return name_process(&voice::stage()); // execve named it after the descriptor
    }
    let copy = sealed_copy(&mut program)?;
    let mut again = Command::new(format!("/proc/self/fd/{}", copy.as_raw_fd()));
    again.args(env::args_os().skip(1));
    again.arg0(env::args_os().next().unwrap_or_default());
    voice::hand_over(&mut again, "parent")?;
    Err(again.exec()).context("exec the sealed copy of this program")
}

fn refused(errno: Errno) -> anyhow::Error {
    match errno {
        Errno::EACCES => anyhow!(
            "memfd_create: {}: vm.memfd_noexec is 2, no program is executed from memory: \
             `sudo sysctl -w vm.memfd_noexec=1` allows it",
            errno.desc()
        ),
        _ => anyhow!("memfd_create: {}", errno.desc()),
    }
}

/// What the process list is to call this process (at most 15 bytes are seen).
///
/// # Errors
///
/// Those of prctl(2).
pub fn name_process(name: &str) -> anyhow::Result<()> {
    let name = CString::new(name).context("a name of a process")?;
    prctl::set_name(&name).context("prctl PR_SET_NAME")
}

/// Whether the file is such a copy. A file on a disk has no seals (EINVAL).
fn is_sealed(file: &File) -> bool {
    let has = fcntl(file, FcntlArg::F_GET_SEALS).map(SealFlag::from_bits_truncate);
    has.is_ok_and(|seals| seals.contains(SEALS))
}

/// A copy of `program` in memory, which nobody can change.
///
/// # Errors
///
/// EACCES where vm.memfd_noexec is 2: such a copy could not be executed.
pub fn sealed_copy(program: &mut (impl Read + ?Sized)) -> anyhow::Result<OwnedFd> {
    let usual = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let made = match memfd_create(c"10-nsenter", usual | MFD_EXEC) {
        Err(Errno::EINVAL) => memfd_create(c"10-nsenter", usual), // before Linux 6.3
        other => other,
    };
    let mut copy = File::from(made.map_err(refused)?);
    io::copy(program, &mut copy).context("copy this program into memory")?;
    seal(&copy).context("seal the copy")?;
    Ok(copy.into())
}

/// The kernel refuses (EBUSY) as long as something holds a page of the copy, as memory compaction
/// does for a moment.
fn seal(copy: &File) -> nix::Result<()> {
    for _ in 0..200 {
        match fcntl(copy, FcntlArg::F_ADD_SEALS(SEALS)) {
            Err(Errno::EBUSY) => thread::sleep(Duration::from_millis(5)),
            other => return other.map(drop),
        }
    }
    Err(Errno::EBUSY)
}
// ANCHOR_END: all

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn nobody_can_change_the_copy_or_its_seals() {
        let mut copy = File::from(sealed_copy(&mut &b"a program"[..]).unwrap());
        assert!(is_sealed(&copy));
        assert_eq!(copy.write(b"x").unwrap_err().raw_os_error(), Some(libc::EPERM));
        assert_eq!(copy.set_len(0).unwrap_err().raw_os_error(), Some(libc::EPERM));
        assert_eq!(copy.set_len(100).unwrap_err().raw_os_error(), Some(libc::EPERM));
        assert_eq!(fcntl(&copy, FcntlArg::F_ADD_SEALS(SealFlag::empty())), Err(Errno::EPERM));
    }

    #[test]
    fn a_file_on_a_disk_is_not_sealed() {
        assert!(!is_sealed(&File::open(SELF).unwrap()));
    }
}
