//! How is a system call of a traced process replaced by a failure? (ptrace(2))

use anyhow::Context;
use nix::{errno::Errno, unistd::Pid};

/// Whether this processor's registers are known here.
pub const KNOWN: bool = cfg!(target_arch = "x86_64");

/// At its entry: another call is made, which changes nothing. (It is not -1, the number of no
/// call: a filter as stage 13's ends a process for one that it does not know.)
///
/// # Errors
///
/// As ptrace(2).
#[cfg(target_arch = "x86_64")]
pub fn make_another(pid: Pid) -> anyhow::Result<()> {
    change(pid, |registers| registers.orig_rax = libc::SYS_getpid as u64)
}

/// At its exit: it returns this error.
///
/// # Errors
///
/// As ptrace(2).
#[cfg(target_arch = "x86_64")]
pub fn return_error(pid: Pid, errno: Errno) -> anyhow::Result<()> {
    change(pid, |registers| registers.rax = (-i64::from(errno as i32)) as u64)
}

#[cfg(target_arch = "x86_64")]
fn change(pid: Pid, change: impl FnOnce(&mut libc::user_regs_struct)) -> anyhow::Result<()> {
    use nix::sys::ptrace::{getregs, setregs};

    let mut registers = getregs(pid).context("ptrace: read the registers")?;
    change(&mut registers);
    setregs(pid, registers).context("ptrace: write the registers")
}

#[cfg(not(target_arch = "x86_64"))]
pub fn make_another(_: Pid) -> anyhow::Result<()> {
    anyhow::bail!("a call can be made to fail on x86_64 only")
}

#[cfg(not(target_arch = "x86_64"))]
pub fn return_error(_: Pid, _: Errno) -> anyhow::Result<()> {
    anyhow::bail!("a call can be made to fail on x86_64 only")
}
