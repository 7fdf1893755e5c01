// ANCHOR: sealed
//! How can a process go into a container without taking the program's file along?
//!
//! Inside, /proc/PID/exe of one of our processes leads to this program's file on the host. Root
//! inside may open it, wait until nobody executes it any more, and then write to it: the next
//! person who starts a container runs what it wrote (CVE-2019-5736). So only a sealed copy in
//! memory goes inside: nobody can write to it, or make it longer or shorter, and since Linux 6.3
//! nobody can change who may execute it. (Its owner can change the rest of its mode, and its
//! attributes.) Source: memfd_create(2), fcntl(2).

use std::{
    env,
    ffi::CString,
    fs::{File, Permissions},
    io::{self, Read},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{fs::PermissionsExt, process::CommandExt},
    },
    process::Command,
    thread,
    time::Duration,
};

use anyhow::{Context, anyhow};
use ch06_reexec::SELF;
use ch11_nsenter::name_process;
use lab::{Next, Program, context, info};
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, SealFlag, fcntl},
    sys::memfd::{MFdFlags, memfd_create},
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

/// The seal on the permission to execute (Linux 6.3).
const F_SEAL_EXEC: SealFlag = SealFlag::from_bits_retain(libc::F_SEAL_EXEC);

/// Makes sure that this process executes a sealed copy of its program. `None` if it does already;
/// else what comes next is to execute one.
///
/// # Errors
///
/// This program's file cannot be read, or vm.memfd_noexec is 2 and forbids programs in memory.
pub fn become_sealed_copy() -> anyhow::Result<Option<Next>> {
    let mut program = File::open(SELF).with_context(|| format!("open {SELF}"))?;
    if is_sealed(&program) {
        info!("from a sealed copy of this program, in memory");
        name_process(&context::stage())?; // execve named it after the descriptor
        return Ok(None);
    }
    let copy = sealed_copy(&mut program)?;
    let mut again = Command::new(format!("/proc/self/fd/{}", copy.as_raw_fd()));
    again.args(env::args_os().skip(1));
    again.arg0(env::args_os().next().unwrap_or_default());
    // It stays open up to the execve(2), which needs it, and is closed by it.
    let next = Program::of_ours(again, "parent").keeping(copy);
    Ok(Some(next.into()))
}

fn refused(errno: Errno) -> anyhow::Error {
    match errno {
        Errno::EACCES => anyhow!(
            "memfd_create: {}: vm.memfd_noexec is 2 and forbids programs in memory: \
             `sudo sysctl -w vm.memfd_noexec=1` allows them",
            errno.desc()
        ),
        _ => anyhow!("memfd_create: {}", errno.desc()),
    }
}

/// Whether the file is such a copy. A file on a disk cannot have seals (EINVAL).
fn is_sealed(file: &File) -> bool {
    let has = fcntl(file, FcntlArg::F_GET_SEALS).map(SealFlag::from_bits_retain);
    has.is_ok_and(|seals| seals.contains(SEALS))
}

/// A copy of `program` in memory, which nobody can change.
///
/// # Errors
///
/// EACCES where vm.memfd_noexec is 2: such a copy could not be executed.
pub fn sealed_copy(program: &mut (impl Read + ?Sized)) -> anyhow::Result<OwnedFd> {
    let usual = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let name = CString::new(context::stage())?;
    let made = match memfd_create(&*name, usual | MFD_EXEC) {
        Err(Errno::EINVAL) => memfd_create(&*name, usual), // before Linux 6.3
        other => other,
    };
    let mut copy = File::from(made.map_err(refused)?);
    io::copy(program, &mut copy).context("copy this program into memory")?;
    // Before the seal: F_SEAL_EXEC keeps the right to execute as it is.
    copy.set_permissions(Permissions::from_mode(0o511)).context("chmod the copy")?;
    match seal(&copy, SEALS | F_SEAL_EXEC) {
        Err(Errno::EINVAL) => seal(&copy, SEALS), // before Linux 6.3
        other => other,
    }
    .context("seal the copy")?;
    Ok(copy.into())
}

/// The kernel refuses (EBUSY) while it still uses a page of the copy, as memory compaction does for
/// a moment.
fn seal(copy: &File, seals: SealFlag) -> nix::Result<()> {
    for _ in 0..200 {
        match fcntl(copy, FcntlArg::F_ADD_SEALS(seals)) {
            Err(Errno::EBUSY) => thread::sleep(Duration::from_millis(5)),
            other => return other.map(drop),
        }
    }
    Err(Errno::EBUSY)
}
// ANCHOR_END: sealed

#[cfg(test)]
mod tests {
    use std::io::Write;

    use rustix::pipe::{SpliceFlags, splice};

    use super::*;

    #[test]
    fn nobody_can_change_the_copy_or_its_seals() {
        let mut copy = File::from(sealed_copy(&mut &b"a program"[..]).unwrap());
        assert!(is_sealed(&copy));
        assert_eq!(copy.write(b"x").unwrap_err().raw_os_error(), Some(libc::EPERM));
        assert_eq!(copy.set_len(0).unwrap_err().raw_os_error(), Some(libc::EPERM));
        assert_eq!(copy.set_len(100).unwrap_err().raw_os_error(), Some(libc::EPERM));
        assert_eq!(fcntl(&copy, FcntlArg::F_ADD_SEALS(SealFlag::empty())), Err(Errno::EPERM));
        let seals = fcntl(&copy, FcntlArg::F_GET_SEALS).unwrap();
        if SealFlag::from_bits_retain(seals).contains(F_SEAL_EXEC) {
            let changed = copy.set_permissions(Permissions::from_mode(0o600));
            assert_eq!(changed.unwrap_err().raw_os_error(), Some(libc::EPERM));
        }
    }

    #[test]
    fn a_page_that_is_in_use_only_delays_the_seal() {
        let made = memfd_create(c"test", MFdFlags::MFD_ALLOW_SEALING).unwrap();
        let (mut copy, (mut reader, writer)) = (File::from(made), io::pipe().unwrap());
        copy.write_all(b"in use").unwrap();
        // Then the page itself is in the pipe.
        splice(&copy, Some(&mut 0), &writer, None, 6, SpliceFlags::empty()).unwrap();
        let refused = fcntl(&copy, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_WRITE));
        assert_eq!(refused, Err(Errno::EBUSY));
        let reads = thread::spawn(move || {
            thread::sleep(Duration::from_millis(300));
            reader.read_exact(&mut [0; 6])
        });
        seal(&copy, SEALS).unwrap();
        reads.join().unwrap().unwrap();
    }

    #[test]
    fn a_file_on_a_disk_is_not_sealed() {
        assert!(!is_sealed(&File::open(SELF).unwrap()));
    }
}
