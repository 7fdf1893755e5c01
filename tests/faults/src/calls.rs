//! Which system calls can fail, and how?
//!
//! The errors are in the call's man page. Left out are: close(2), which closes the descriptor also
//! when it fails; mmap(2) and its like, whose failure ends every Rust program; and what the
//! C library and Rust's runtime do before `main`.

use nix::errno::Errno::{self, EAGAIN, EINTR, EMFILE, ENOMEM, ENOSPC, EPERM};

/// A system call, or a use of it.
#[derive(Debug)]
pub struct Call {
    /// As it stands in a report: `openat`, and `openat-new` if it may make the file.
    pub name: &'static str,
    number: libc::c_long,
    /// How it may fail.
    pub errors: &'static [Errno],
    /// Whether these arguments make it this use.
    is_meant: fn(&[u64; 6]) -> bool,
}

/// All errors there are.
pub const ERRORS: [Errno; 6] = [ENOMEM, ENOSPC, EMFILE, EAGAIN, EINTR, EPERM];

/// The call that a process is about to make, if it is in the table. (The first argument of
/// clone3(2) is a pointer; here it is the flags, as clone(2) has them.)
pub fn known(number: u64, arguments: &[u64; 6]) -> Option<&'static Call> {
    let is_it = |call: &&Call| call.number as u64 == number && (call.is_meant)(arguments);
    all().find(is_it)
}

/// The call with this name.
pub fn named(name: &str) -> Option<&'static Call> {
    all().find(|call| call.name == name)
}

fn all() -> impl Iterator<Item = &'static Call> {
    CALLS.iter().chain(OLD)
}

const fn call(name: &'static str, number: libc::c_long, errors: &'static [Errno]) -> Call {
    only(name, number, errors, |_| true)
}

const fn only(
    name: &'static str,
    number: libc::c_long,
    errors: &'static [Errno],
    is_meant: fn(&[u64; 6]) -> bool,
) -> Call {
    Call {
        name,
        number,
        errors,
        is_meant,
    }
}

const CLONES: &[Errno] = &[EAGAIN, ENOMEM];
const CLONES_INTO_NEW: &[Errno] = &[EAGAIN, ENOMEM, ENOSPC, EPERM];
const DESCRIPTOR: &[Errno] = &[EMFILE, ENOMEM];
const OPENS: &[Errno] = &[EMFILE, ENOMEM, EINTR, EPERM];
const OPENS_NEW: &[Errno] = &[EMFILE, ENOMEM, ENOSPC, EINTR, EPERM];
const MAKES: &[Errno] = &[ENOMEM, ENOSPC, EPERM];
const CHANGES: &[Errno] = &[ENOMEM, EPERM];
const MEMORY: &[Errno] = &[ENOMEM];
const WAITS: &[Errno] = &[EINTR];
const WAITS_FOR_ANY: &[Errno] = &[EINTR, ENOMEM];
const REFUSED: &[Errno] = &[EPERM];

fn has_namespaces(flags: u64) -> bool {
    let namespaces = libc::CLONE_NEWNS
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWUSER
        | libc::CLONE_NEWCGROUP;
    flags & namespaces as u64 != 0
}

/// Every processor has these.
const CALLS: &[Call] = &[
    // Processes and namespaces.
    only("clone-ns", libc::SYS_clone, CLONES_INTO_NEW, |arguments| {
        has_namespaces(arguments[0])
    }),
    call("clone", libc::SYS_clone, CLONES),
    only("clone3-ns", libc::SYS_clone3, CLONES_INTO_NEW, |arguments| {
        has_namespaces(arguments[0])
    }),
    call("clone3", libc::SYS_clone3, CLONES),
    call("execve", libc::SYS_execve, &[ENOMEM, EMFILE, EPERM]),
    call("unshare", libc::SYS_unshare, MAKES),
    call("setns", libc::SYS_setns, CHANGES),
    call("pidfd_open", libc::SYS_pidfd_open, DESCRIPTOR),
    call("pidfd_send_signal", libc::SYS_pidfd_send_signal, REFUSED),
    call("kill", libc::SYS_kill, REFUSED),
    call("wait4", libc::SYS_wait4, WAITS),
    call("waitid", libc::SYS_waitid, WAITS),
    only("prctl", libc::SYS_prctl, REFUSED, |arguments| {
        [libc::PR_CAPBSET_DROP, libc::PR_SET_SECUREBITS, libc::PR_CAP_AMBIENT]
            .contains(&(arguments[0] as i32))
    }),
    call("seccomp", libc::SYS_seccomp, MEMORY),
    call("capset", libc::SYS_capset, REFUSED),
    call("setgroups", libc::SYS_setgroups, CHANGES),
    call("setresgid", libc::SYS_setresgid, REFUSED),
    call("setresuid", libc::SYS_setresuid, REFUSED),
    call("setsid", libc::SYS_setsid, REFUSED),
    call("sethostname", libc::SYS_sethostname, REFUSED),
    only("prlimit64", libc::SYS_prlimit64, REFUSED, |arguments| arguments[2] != 0),
    call("keyctl", libc::SYS_keyctl, CHANGES),
    // Mounts.
    call("mount", libc::SYS_mount, CHANGES),
    call("umount2", libc::SYS_umount2, CHANGES),
    call("pivot_root", libc::SYS_pivot_root, REFUSED),
    call("open_tree", libc::SYS_open_tree, OPENS),
    call("move_mount", libc::SYS_move_mount, CHANGES),
    call("fsopen", libc::SYS_fsopen, &[EMFILE, ENOMEM, EPERM]),
    call("fsconfig", libc::SYS_fsconfig, CHANGES),
    call("fsmount", libc::SYS_fsmount, &[EMFILE, ENOMEM, ENOSPC, EPERM]),
    call("mount_setattr", libc::SYS_mount_setattr, CHANGES),
    // Descriptors.
    only("openat-new", libc::SYS_openat, OPENS_NEW, |arguments| {
        arguments[2] & libc::O_CREAT as u64 != 0
    }),
    call("openat", libc::SYS_openat, OPENS),
    call("openat2", libc::SYS_openat2, OPENS),
    call("pipe2", libc::SYS_pipe2, DESCRIPTOR),
    call("socket", libc::SYS_socket, DESCRIPTOR),
    call("socketpair", libc::SYS_socketpair, DESCRIPTOR),
    call("memfd_create", libc::SYS_memfd_create, DESCRIPTOR),
    call("signalfd4", libc::SYS_signalfd4, DESCRIPTOR),
    call("eventfd2", libc::SYS_eventfd2, DESCRIPTOR),
    call("dup", libc::SYS_dup, &[EMFILE]),
    call("dup3", libc::SYS_dup3, &[EMFILE, EINTR]),
    only("fcntl-dup", libc::SYS_fcntl, &[EMFILE], |arguments| {
        [libc::F_DUPFD, libc::F_DUPFD_CLOEXEC].contains(&(arguments[1] as i32))
    }),
    only("fcntl-seal", libc::SYS_fcntl, REFUSED, |arguments| {
        arguments[1] as i32 == libc::F_ADD_SEALS
    }),
    call("close_range", libc::SYS_close_range, DESCRIPTOR),
    // Reading and writing.
    call("read", libc::SYS_read, WAITS),
    call("pread64", libc::SYS_pread64, WAITS),
    call("write", libc::SYS_write, &[EINTR, ENOSPC, EPERM]),
    call("sendto", libc::SYS_sendto, WAITS_FOR_ANY),
    call("sendmsg", libc::SYS_sendmsg, WAITS_FOR_ANY),
    call("recvfrom", libc::SYS_recvfrom, WAITS_FOR_ANY),
    call("recvmsg", libc::SYS_recvmsg, WAITS_FOR_ANY),
    call("ppoll", libc::SYS_ppoll, WAITS_FOR_ANY),
    only("flock", libc::SYS_flock, WAITS, |arguments| {
        arguments[1] as i32 & (libc::LOCK_UN | libc::LOCK_NB) == 0
    }),
    call("ftruncate", libc::SYS_ftruncate, &[EINTR, EPERM]),
    call("sendfile", libc::SYS_sendfile, MEMORY),
    call("copy_file_range", libc::SYS_copy_file_range, &[ENOMEM, ENOSPC, EPERM]),
    // Files.
    call("newfstatat", libc::SYS_newfstatat, MEMORY),
    call("statx", libc::SYS_statx, MEMORY),
    call("readlinkat", libc::SYS_readlinkat, MEMORY),
    call("mkdirat", libc::SYS_mkdirat, MAKES),
    call("mknodat", libc::SYS_mknodat, MAKES),
    call("symlinkat", libc::SYS_symlinkat, MAKES),
    call("linkat", libc::SYS_linkat, MAKES),
    call("renameat", libc::SYS_renameat, MAKES),
    call("unlinkat", libc::SYS_unlinkat, CHANGES),
    call("fchmodat", libc::SYS_fchmodat, CHANGES),
    call("fchownat", libc::SYS_fchownat, CHANGES),
    call("fchmod", libc::SYS_fchmod, CHANGES),
    call("fchown", libc::SYS_fchown, CHANGES),
    call("chdir", libc::SYS_chdir, MEMORY),
];

/// The first processors have these as well.
#[cfg(target_arch = "x86_64")]
const OLD: &[Call] = &[
    call("open", libc::SYS_open, OPENS),
    call("dup2", libc::SYS_dup2, &[EMFILE, EINTR]),
    call("poll", libc::SYS_poll, WAITS_FOR_ANY),
    call("fork", libc::SYS_fork, CLONES),
    call("vfork", libc::SYS_vfork, CLONES),
    call("stat", libc::SYS_stat, MEMORY),
    call("lstat", libc::SYS_lstat, MEMORY),
    call("readlink", libc::SYS_readlink, MEMORY),
    call("mkdir", libc::SYS_mkdir, MAKES),
    call("rmdir", libc::SYS_rmdir, CHANGES),
    call("unlink", libc::SYS_unlink, CHANGES),
    call("rename", libc::SYS_rename, MAKES),
    call("symlink", libc::SYS_symlink, MAKES),
    call("link", libc::SYS_link, MAKES),
    call("chmod", libc::SYS_chmod, CHANGES),
    call("chown", libc::SYS_chown, CHANGES),
    call("lchown", libc::SYS_lchown, CHANGES),
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[Call] = &[];
