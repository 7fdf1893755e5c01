//! How does a test make the kernel refuse a system call?
//!
//! Every function here may be called between fork(2) and execve(2): none allocates.

use std::io;

use nix::errno::Errno;

/// Where a filter finds a system call's number and its arguments (`seccomp_data`).
const NUMBER: u32 = 0;
const FIRST: u32 = 16;
const SECOND: u32 = 24;
const THIRD: u32 = 32;

/// The answer EINVAL.
const INVALID: u32 = libc::SECCOMP_RET_ERRNO | libc::EINVAL as u32;

/// From now on the kernel answers this process's system call `number` with `errno`.
///
/// # Errors
///
/// As seccomp(2).
pub fn refuse(number: libc::c_long, errno: Errno) -> io::Result<()> {
    answer(number, libc::SECCOMP_RET_ERRNO | errno as u32)
}

/// From now on this system call kills the process that makes it, with SIGSYS.
///
/// # Errors
///
/// As seccomp(2).
pub fn kill_at(number: libc::c_long) -> io::Result<()> {
    answer(number, libc::SECCOMP_RET_KILL_PROCESS)
}

/// From now on setns(2) with more than one flag is answered with `errno`.
///
/// # Errors
///
/// As seccomp(2).
pub fn refuse_several_namespaces(errno: Errno) -> io::Result<()> {
    filter(&mut [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, NUMBER),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 6, libc::SYS_setns as u32),
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, SECOND),
        statement(libc::BPF_MISC | libc::BPF_TAX, 0, 0, 0),
        statement(libc::BPF_ALU | libc::BPF_SUB | libc::BPF_K, 0, 0, 1),
        statement(libc::BPF_ALU | libc::BPF_AND | libc::BPF_X, 0, 0, 0),
        // x & (x - 1) is 0 for one flag.
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, 0, 0),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ])
}

/// From now on msgget(2) without IPC_CREAT is answered with `errno`.
///
/// # Errors
///
/// As seccomp(2).
pub fn refuse_to_look_for_queues(errno: Errno) -> io::Result<()> {
    filter(&mut [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, NUMBER),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 3, libc::SYS_msgget as u32),
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, SECOND),
        statement(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 1, 0, libc::IPC_CREAT as u32),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ])
}

/// From now on msgget(2) with IPC_CREAT and this key is answered with `errno`.
///
/// # Errors
///
/// As seccomp(2).
pub fn refuse_to_make_queue(key: u32, errno: Errno) -> io::Result<()> {
    filter(&mut [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, NUMBER),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 5, libc::SYS_msgget as u32),
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, FIRST),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 3, key),
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, SECOND),
        statement(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 0, 1, libc::IPC_CREAT as u32),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ])
}

/// From now on ioctl(2) with this request is answered with `errno`.
///
/// # Errors
///
/// As seccomp(2).
pub fn refuse_ioctl(wanted: u32, errno: Errno) -> io::Result<()> {
    filter(&mut [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, NUMBER),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 3, libc::SYS_ioctl as u32),
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, SECOND),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, wanted),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ])
}

/// From now on fcntl(2) knows no F_SEAL_EXEC, as before Linux 6.3.
///
/// # Errors
///
/// As seccomp(2).
pub fn know_no_seal_exec() -> io::Result<()> {
    filter(&mut [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, NUMBER),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 5, libc::SYS_fcntl as u32),
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, SECOND),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 3, libc::F_ADD_SEALS as u32),
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, THIRD),
        statement(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 0, 1, libc::F_SEAL_EXEC as u32),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, INVALID),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ])
}

fn answer(number: libc::c_long, verdict: u32) -> io::Result<()> {
    filter(&mut [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, NUMBER),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, number as u32),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, verdict),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ])
}

/// A statement of a program for [`filter`]: where to jump if it holds and if not, and its number.
fn statement(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    }
}

/// From now on this program decides about each system call of this process (seccomp(2)).
fn filter(program: &mut [libc::sock_filter]) -> io::Result<()> {
    let filter = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: PR_SET_NO_NEW_PRIVS takes numbers; PR_SET_SECCOMP reads a sock_fprog, which outlives
    // the call.
    unsafe {
        Errno::result(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
        Errno::result(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &filter))?;
    }
    Ok(())
}
