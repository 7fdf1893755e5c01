//! How is a file system mounted option by option?
//!
//! mount(2) takes all options as one string of at most a page, with commas between them.
//! The newer calls take them one at a time: fsopen(2) begins, fsconfig(2) sets an option,
//! fsmount(2) makes the mount, move_mount(2) attaches it. And they say why they refuse.

use std::{
    ffi::{CStr, CString, c_char},
    fs::File,
    io::Read,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    ptr::null,
};

use anyhow::anyhow;
use nix::errno::Errno;

/// What fsconfig(2) does: `FSCONFIG_SET_FLAG`, `FSCONFIG_SET_STRING`, `FSCONFIG_CMD_CREATE`.
#[derive(Clone, Copy)]
enum Do {
    SetFlag = 0,
    SetString = 1,
    Create = 6,
}

const FSOPEN_CLOEXEC: usize = 1;
const FSMOUNT_CLOEXEC: usize = 1;
const MOVE_MOUNT_F_EMPTY_PATH: usize = 4;

/// A file system that is being configured.
pub(crate) struct Filesystem {
    kind: &'static CStr,
    context: OwnedFd,
}

impl Filesystem {
    /// Begins with a file system of this kind, such as `overlay`.
    pub(crate) fn open(kind: &'static CStr) -> anyhow::Result<Filesystem> {
        // SAFETY: fsopen reads a string that ends with a zero.
        let number = unsafe { libc::syscall(libc::SYS_fsopen, kind.as_ptr(), FSOPEN_CLOEXEC) };
        let context =
            owned(number).map_err(|errno| anyhow!("fsopen {kind:?}: {}", errno.desc()))?;
        Ok(Filesystem { kind, context })
    }

    /// Sets an option to a path. The kernel takes at most 255 bytes here.
    pub(crate) fn set(&self, key: &CStr, value: &Path) -> anyhow::Result<()> {
        let text = CString::new(value.as_os_str().as_bytes())?;
        self.configure(
            Do::SetString,
            key.as_ptr(),
            text.as_ptr(),
            &format!("{} = {}", key.to_string_lossy(), value.display()),
        )
    }

    /// Sets an option without a value.
    pub(crate) fn set_flag(&self, key: &CStr) -> anyhow::Result<()> {
        self.configure(Do::SetFlag, key.as_ptr(), null(), &key.to_string_lossy())
    }

    /// Makes the mount and attaches it to the folder `at`.
    pub(crate) fn mount(self, at: &Path) -> anyhow::Result<()> {
        self.configure(Do::Create, null(), null(), "create")?;
        // SAFETY: fsmount takes numbers.
        let number = unsafe {
            libc::syscall(libc::SYS_fsmount, self.context.as_raw_fd(), FSMOUNT_CLOEXEC, 0usize)
        };
        let mount = owned(number).map_err(|errno| anyhow!("fsmount: {}", errno.desc()))?;
        let at = CString::new(at.as_os_str().as_bytes())?;
        // SAFETY: move_mount reads two strings that end with a zero.
        let moved = unsafe {
            libc::syscall(
                libc::SYS_move_mount,
                mount.as_raw_fd(),
                c"".as_ptr(),
                libc::AT_FDCWD,
                at.as_ptr(),
                MOVE_MOUNT_F_EMPTY_PATH,
            )
        };
        Errno::result(moved)
            .map(drop)
            .map_err(|errno| anyhow!("move_mount to {at:?}: {}", errno.desc()))
    }

    fn configure(
        &self,
        what: Do,
        key: *const c_char,
        value: *const c_char,
        shown: &str,
    ) -> anyhow::Result<()> {
        // SAFETY: key and value are null or strings that end with a zero, and fsconfig only reads
        // them.
        let done = unsafe {
            libc::syscall(
                libc::SYS_fsconfig,
                self.context.as_raw_fd(),
                what as usize,
                key,
                value,
                0usize,
            )
        };
        Errno::result(done).map(drop).map_err(|errno| {
            anyhow!("{}: {shown}: {}{}", self.kind.to_string_lossy(), errno.desc(), self.reason())
        })
    }

    /// What the kernel says about its refusal: lines of `e overlay: …`, read from the context.
    fn reason(&self) -> String {
        let Ok(mut context) = self.context.try_clone().map(File::from) else {
            return String::new();
        };
        let mut reasons = String::new();
        let mut line = [0; 256];
        while let Ok(length @ 1..) = context.read(&mut line) {
            reasons += &format!(" ({})", String::from_utf8_lossy(&line[..length]).trim());
        }
        reasons
    }
}

/// A system call's new descriptor.
fn owned(number: libc::c_long) -> nix::Result<OwnedFd> {
    let number = Errno::result(number)?;
    // SAFETY: the call has just returned this descriptor, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number as i32) })
}
