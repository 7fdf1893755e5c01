use super::*;
use crate::{CapabilitySet, profile::Foreign};

/// What a call looks like to a filter.
#[derive(Clone, Copy)]
pub(super) struct Call {
    number: u32,
    architecture: u32,
    pub(super) arguments: [u64; 6],
}

const OWN: u32 = if cfg!(target_arch = "x86_64") {
    0xc000_003e
} else {
    0xc000_00b7
};
const I386: u32 = 0x4000_0003;

pub(super) fn call(number: i64, first: u64) -> Call {
    Call {
        number: number as u32,
        architecture: OWN,
        arguments: [first, 0, 0, 0, 0, 0],
    }
}

/// The kernel's machine, as far as seccompiler and this crate use it.
fn run(Filter(program): &Filter, call: Call) -> u32 {
    let mut data = Vec::from(call.number.to_ne_bytes());
    data.extend(call.architecture.to_ne_bytes());
    data.extend([0; 8]); // the address of the instruction
    call.arguments.iter().for_each(|argument| data.extend(argument.to_ne_bytes()));
    let (mut at, mut accumulator) = (0, 0_u32);
    loop {
        let sock_filter { code, jt, jf, k } = program[at];
        at += 1;
        let choose = |holds: bool| usize::from(if holds { jt } else { jf });
        match u32::from(code) {
            0x20 => {
                let place = k as usize..k as usize + 4;
                accumulator = u32::from_ne_bytes(data[place].try_into().unwrap());
            }
            0x54 => accumulator &= k,
            0x05 => at += k as usize,
            0x15 => at += choose(accumulator == k),
            0x25 => at += choose(accumulator > k),
            0x35 => at += choose(accumulator >= k),
            0x06 => return k,
            _ => panic!("instruction {code:x}"),
        }
    }
}

pub(super) fn compiled(text: &str) -> Option<Filter> {
    let profile = Profile::parse(text, CapabilitySet::NONE, Foreign::Refuse).unwrap();
    Filter::compile(&profile).unwrap()
}

pub(super) fn answers(filter: &Filter, of: Call) -> SeccompAction {
    let answer = run(filter, of);
    [
        SeccompAction::Allow,
        SeccompAction::Log,
        SeccompAction::Trap,
        SeccompAction::KillThread,
        SeccompAction::KillProcess,
        SeccompAction::Errno(answer & libc::SECCOMP_RET_DATA),
    ]
    .into_iter()
    .find(|action| u32::from(action.clone()) == answer)
    .unwrap()
}

const DENIES: &str = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
    {"names":["chroot"],"action":"SCMP_ACT_ERRNO","errnoRet":5},
    {"names":["acct"],"action":"SCMP_ACT_TRAP"}]}"#;

#[test]
fn an_item_without_a_condition_counts_always() {
    let text = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
        {"names":["dup"],"action":"SCMP_ACT_ALLOW",
         "args":[{"index":0,"op":"SCMP_CMP_EQ","value":7}]},
        {"names":["dup"],"action":"SCMP_ACT_ALLOW"}]}"#;
    let filter = compiled(text).unwrap();
    for first in [7, 8] {
        assert_eq!(answers(&filter, call(libc::SYS_dup, first)), SeccompAction::Allow);
    }
    assert_eq!(answers(&filter, call(libc::SYS_dup3, 7)), SeccompAction::Errno(1));
}

#[test]
fn two_actions_are_joined_into_one_program() {
    let filter = compiled(DENIES).unwrap();
    assert_eq!(answers(&filter, call(libc::SYS_chroot, 0)), SeccompAction::Errno(5));
    assert_eq!(answers(&filter, call(libc::SYS_acct, 0)), SeccompAction::Trap);
    assert_eq!(answers(&filter, call(libc::SYS_dup, 0)), SeccompAction::Allow);
}

#[test]
fn calls_of_x32_and_of_i386_get_past_no_profile() {
    let lets_dup = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
        {"names":["dup"],"action":"SCMP_ACT_ALLOW"}]}"#;
    let logs = r#"{"defaultAction":"SCMP_ACT_LOG"}"#;
    for text in [DENIES, lets_dup, logs] {
        let filter = compiled(text).unwrap();
        let x32 = call(i64::from(X32) + libc::SYS_chroot, 0);
        assert_eq!(answers(&filter, x32), SeccompAction::Errno(libc::ENOSYS as u32), "{text}");
        let i386 = Call {
            architecture: I386,
            ..call(libc::SYS_dup, 0)
        };
        assert_eq!(answers(&filter, i386), SeccompAction::KillProcess, "{text}");
    }
}

#[test]
fn what_a_newer_kernel_has_is_refused_where_the_default_refuses() {
    let newer = call(i64::from(syscalls::newest()) + 1, 0);
    let strict = compiled(r#"{"defaultAction":"SCMP_ACT_KILL_PROCESS"}"#).unwrap();
    assert_eq!(answers(&strict, newer), SeccompAction::Errno(libc::ENOSYS as u32));
    assert_eq!(answers(&strict, call(libc::SYS_dup, 0)), SeccompAction::KillProcess);
    assert_eq!(answers(&compiled(DENIES).unwrap(), newer), SeccompAction::Allow);
}

#[test]
fn a_profile_that_lets_all_through_is_no_filter() {
    assert_eq!(compiled(r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#), None);
}

#[test]
fn bytes_give_the_program_back() {
    let filter = compiled(DENIES).unwrap();
    assert_eq!(Filter::from_bytes(&filter.to_bytes()).unwrap(), filter);
    assert!(Filter::from_bytes(&[]).is_err());
    assert!(Filter::from_bytes(&filter.to_bytes()[1..]).is_err());
    assert!(Filter::from_bytes(&vec![0; 8 * (MOST + 1)]).is_err());
}

#[test]
fn a_filter_that_is_too_long_is_an_error() {
    let item = r#"{"names":["dup"],"action":"SCMP_ACT_LOG",
        "args":[{"index":0,"op":"SCMP_CMP_EQ","value":7}]}"#;
    let items = vec![item; 900].join(",");
    let text = format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{items}]}}"#);
    let profile = Profile::parse(&text, CapabilitySet::NONE, Foreign::Refuse).unwrap();
    let error = Filter::compile(&profile).unwrap_err().to_string();
    assert!(error.contains("4096"), "{error}");
}
