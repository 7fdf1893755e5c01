//! How does a test make the kernel refuse a system call?
//!
//! With a filter for [`Run::with`](crate::bench::Run::with): `.with(refuse(&[call], errno)?)`.

use std::{
    collections::BTreeMap, env::consts::ARCH, io, os::unix::process::CommandExt, process::Command,
};

use anyhow::Context;
use nix::{errno::Errno, mount::MsFlags, sched::CloneFlags};
use seccompiler::{
    BpfProgram, Error,
    SeccompAction::{self, Allow, KillProcess},
    SeccompCmpArgLen::{Dword, Qword},
    SeccompCmpOp::{Eq, Ge, MaskedEq, Ne},
    SeccompCondition, SeccompFilter, SeccompRule, apply_filter,
};

/// The flags of setns(2).
const KINDS: [CloneFlags; 8] = [
    CloneFlags::CLONE_NEWNS,
    CloneFlags::CLONE_NEWCGROUP,
    CloneFlags::CLONE_NEWUTS,
    CloneFlags::CLONE_NEWIPC,
    CloneFlags::CLONE_NEWUSER,
    CloneFlags::CLONE_NEWPID,
    CloneFlags::CLONE_NEWNET,
    CloneFlags::from_bits_retain(libc::CLONE_NEWTIME),
];

/// The kernel answers these system calls of the command with `errno`.
///
/// # Errors
///
/// seccompiler knows no processor like this one. The same is true of all others here.
pub fn refuse(
    calls: &[libc::c_long],
    errno: Errno,
) -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    filter(calls, vec![], answer(errno))
}

/// This system call kills the command with SIGSYS.
///
/// # Errors
///
/// As [`refuse`].
pub fn kill_at(call: libc::c_long) -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    filter(&[call], vec![], KillProcess)
}

/// Each way to make a process kills the command.
///
/// # Errors
///
/// As [`refuse`].
pub fn kill_at_clone() -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    let mut calls = vec![libc::SYS_clone, libc::SYS_clone3];
    #[cfg(target_arch = "x86_64")]
    calls.extend([libc::SYS_fork, libc::SYS_vfork]);
    filter(&calls, vec![], KillProcess)
}

/// The kernel knows no capability from this number on.
///
/// # Errors
///
/// As [`refuse`].
pub fn know_capabilities_below(number: u64) -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    let reads = SeccompCondition::new(0, Dword, Eq, libc::PR_CAPBSET_READ as u64)?;
    let unknown = SeccompCondition::new(1, Qword, Ge, number)?;
    filter(&[libc::SYS_prctl], vec![reads, unknown], answer(Errno::EINVAL))
}

/// The kernel answers setns(2) with more than one flag with `errno`.
///
/// # Errors
///
/// As [`refuse`].
pub fn refuse_several_namespaces(
    errno: Errno,
) -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    let is_not = |kind: CloneFlags| SeccompCondition::new(1, Dword, Ne, kind.bits() as u64);
    let none_alone = KINDS.into_iter().chain([CloneFlags::empty()]).map(is_not);
    filter(&[libc::SYS_setns], none_alone.collect::<Result<_, _>>()?, answer(errno))
}

/// The kernel answers msgget(2) without IPC_CREAT with `errno`.
///
/// # Errors
///
/// As [`refuse`].
pub fn refuse_to_look_for_queues(
    errno: Errno,
) -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    let does_not_create = flag(1, libc::IPC_CREAT, false)?;
    filter(&[libc::SYS_msgget], vec![does_not_create], answer(errno))
}

/// The kernel answers msgget(2) with IPC_CREAT and this key with `errno`.
///
/// # Errors
///
/// As [`refuse`].
pub fn refuse_to_make_queue(
    key: u32,
    errno: Errno,
) -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    let this_key = SeccompCondition::new(0, Dword, Eq, key.into())?;
    let creates = flag(1, libc::IPC_CREAT, true)?;
    filter(&[libc::SYS_msgget], vec![this_key, creates], answer(errno))
}

/// The kernel answers mount(2) with this flag with `errno`.
///
/// # Errors
///
/// As [`refuse`].
pub fn refuse_mount(
    with: MsFlags,
    errno: Errno,
) -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    let this_flag = flag(3, i32::try_from(with.bits())?, true)?;
    filter(&[libc::SYS_mount], vec![this_flag], answer(errno))
}

/// The kernel answers mount(2) with `errno` if these are, of all the flags in `among`, those that
/// are set.
///
/// # Errors
///
/// As [`refuse`].
pub fn refuse_mount_like(
    set: MsFlags,
    among: MsFlags,
    errno: Errno,
) -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    let these_flags = SeccompCondition::new(3, Dword, MaskedEq(among.bits()), set.bits())?;
    filter(&[libc::SYS_mount], vec![these_flags], answer(errno))
}

/// The kernel answers setns(2) with just this flag with `errno`.
///
/// # Errors
///
/// As [`refuse`].
pub fn refuse_namespace(
    kind: CloneFlags,
    errno: Errno,
) -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    let this_kind = SeccompCondition::new(1, Dword, Eq, kind.bits() as u64)?;
    filter(&[libc::SYS_setns], vec![this_kind], answer(errno))
}

/// The kernel answers prlimit(2) with `errno` if it is to set a limit.
///
/// # Errors
///
/// As [`refuse`].
pub fn refuse_to_set_limits(errno: Errno) -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    let has_new_limit = SeccompCondition::new(2, Qword, Ne, 0)?;
    filter(&[libc::SYS_prlimit64], vec![has_new_limit], answer(errno))
}

/// The kernel answers a read of one byte, read(2) or recvfrom(2), with `errno`.
///
/// # Errors
///
/// As [`refuse`].
pub fn refuse_to_read_a_byte(errno: Errno) -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    let one_byte = SeccompCondition::new(2, Dword, Eq, 1)?;
    filter(&[libc::SYS_read, libc::SYS_recvfrom], vec![one_byte], answer(errno))
}

/// The kernel answers prctl(2) with this option with `errno`.
///
/// # Errors
///
/// As [`refuse`].
pub fn refuse_prctl(
    option: libc::c_int,
    errno: Errno,
) -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    let this_option = SeccompCondition::new(0, Dword, Eq, option as u64)?;
    filter(&[libc::SYS_prctl], vec![this_option], answer(errno))
}

/// The kernel answers ioctl(2) with this request with `errno`.
///
/// # Errors
///
/// As [`refuse`].
pub fn refuse_ioctl(
    wanted: u32,
    errno: Errno,
) -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    let this_request = SeccompCondition::new(1, Dword, Eq, wanted.into())?;
    filter(&[libc::SYS_ioctl], vec![this_request], answer(errno))
}

/// fcntl(2) knows no F_SEAL_EXEC, as before Linux 6.3.
///
/// # Errors
///
/// As [`refuse`].
pub fn know_no_seal_exec() -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    let adds_seals = SeccompCondition::new(1, Dword, Eq, libc::F_ADD_SEALS as u64)?;
    let seals_the_mode = flag(2, libc::F_SEAL_EXEC, true)?;
    filter(&[libc::SYS_fcntl], vec![adds_seals, seals_the_mode], answer(Errno::EINVAL))
}

fn answer(errno: Errno) -> SeccompAction {
    SeccompAction::Errno(errno as u32)
}

/// That this argument has the flag, or does not have it.
fn flag(argument: u8, flag: i32, set: bool) -> seccompiler::Result<SeccompCondition> {
    let flag = flag as u64;
    let value = if set { flag } else { 0 };
    Ok(SeccompCondition::new(argument, Dword, MaskedEq(flag), value)?)
}

/// What happens to these system calls of a command if all conditions hold (seccomp(2)).
fn filter(
    calls: &[libc::c_long],
    conditions: Vec<SeccompCondition>,
    action: SeccompAction,
) -> anyhow::Result<impl FnOnce(&mut Command) + use<>> {
    let rules = match conditions.is_empty() {
        true => vec![],
        false => vec![SeccompRule::new(conditions)?],
    };
    let rules: BTreeMap<_, _> = calls.iter().map(|call| (*call, rules.clone())).collect();
    let filter = SeccompFilter::new(rules, Allow, action, ARCH.try_into()?)?;
    let program: BpfProgram = filter.try_into().context("a filter for seccomp(2)")?;
    Ok(move |command: &mut Command| {
        // SAFETY: the program is there before fork(2); to apply it are two system calls: no lock,
        // no allocation.
        unsafe { command.pre_exec(move || apply_filter(&program).map_err(reason)) };
    })
}

fn reason(error: Error) -> io::Error {
    match error {
        Error::Prctl(error) | Error::Seccomp(error) => error,
        _ => io::ErrorKind::InvalidInput.into(),
    }
}

#[cfg(test)]
mod tests;
