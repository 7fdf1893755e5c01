//! Chapter 13: what its exercises are about besides.

use anyhow::ensure;

use super::{OF_DOCKER, Rights, answers};
use crate::{
    Bench,
    checks::{Check, holds},
    named::container,
    told,
};

/// The stage's default profile, as the repository has it.
const DEFAULT: &str = include_str!("../../../../chapters/13-privileges/src/default.json");

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        13,
        "a profile may refuse what INIT needs before the command",
        "a filter holds from its own installation on: each call after that, the profile must let \
         through, so the filter comes last",
        |bench| {
            let steps = r#""capset","prctl","prlimit64","setgid","setgroups","setresgid",
                "setresuid","setuid","chdir","close_range","keyctl","seccomp""#;
            let profile = denying(bench, "refuses.json", steps)?;
            let options = ["-q", "--seccomp", &profile, "--ulimit", "nofile=64:64"];
            let running = container(bench, "box", &options)?;
            Rights::of_root(OF_DOCKER).must_be_of(running.command()?)?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        13,
        "without a filter the command can gain no privileges either",
        "seccompiler sets no_new_privs when it installs a filter: without one, it is you who must",
        |bench| {
            let running = container(bench, "box", &["-q", "--seccomp", "unconfined"])?;
            let expected = Rights {
                has_filter: false,
                ..Rights::of_root(OF_DOCKER)
            };
            expected.must_be_of(running.command()?)?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        13,
        "a call that no profile can name does not exist",
        "after ENOSYS a program tries an older call, and after EPERM it gives up: answer ENOSYS \
         for each number from the one on that you are given, and leave the others to the profile",
        |bench| {
            let mut known = vec![
                (472, "ENOSYS"), // 471 is rseq_slice_yield, the last of Linux 7.0
                (600, "ENOSYS"),
                (libc::SYS_keyctl, "EPERM"),
                (libc::SYS_close, "EBADF"), // of descriptor 99
            ];
            let mut denied = vec![(libc::SYS_chroot, "E2BIG"), (libc::SYS_close, "EBADF")];
            if cfg!(target_arch = "x86_64") {
                known.push((X32, "ENOSYS"));
                denied.push((X32 + libc::SYS_chroot, "ENOSYS"));
            }
            must_answer(bench, &[], &known)?;
            // The last call that a profile can name is the profile's, if it does not name it too.
            let without = DEFAULT.replace(", \"rseq_slice_yield\"", "");
            ensure!(without != DEFAULT, "the default profile does not name rseq_slice_yield");
            let profile = bench.file("without.json", &without, 0o644)?.display().to_string();
            must_answer(bench, &["--seccomp", &profile], &[(471, "EPERM"), (472, "ENOSYS")])?;
            let profile = denying(bench, "denies.json", r#""chroot""#)?;
            must_answer(bench, &["--seccomp", &profile], &denied)?;
            // A rule that has looked at an argument leaves that behind, and not the number.
            let item = r#"{"names":["close"],"action":"SCMP_ACT_ERRNO",
                "args":[{"index":0,"value":98,"op":"SCMP_CMP_EQ"}]}"#;
            let text = format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{item}]}}"#);
            let profile = bench.file("argument.json", &text, 0o644)?.display().to_string();
            let call = format!("{} {}", libc::SYS_close, i32::MAX);
            let found = answers(bench, &["--seccomp", &profile], &[call])?;
            ensure!(found == ["EBADF"], "close of {}: {}, not EBADF", i32::MAX, told(&found));
            holds()
        },
    ),
];

/// The first call of x32, whose numbers have bit 30.
const X32: libc::c_long = 0x4000_0000;

/// A profile that lets all through but these calls: they are E2BIG.
fn denying(bench: &Bench, name: &str, calls: &str) -> anyhow::Result<String> {
    let item = format!(r#"{{"names":[{calls}],"action":"SCMP_ACT_ERRNO","errnoRet":7}}"#);
    let text = format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{item}]}}"#);
    Ok(bench.file(name, &text, 0o644)?.display().to_string())
}

/// What the kernel answers inside to calls with 99 as their first argument.
fn must_answer(
    bench: &Bench,
    options: &[&str],
    expected: &[(libc::c_long, &str)],
) -> anyhow::Result<()> {
    let calls: Vec<String> = expected.iter().map(|(number, _)| format!("{number} 99")).collect();
    for ((number, expected), found) in expected.iter().zip(answers(bench, options, &calls)?) {
        ensure!(
            found == *expected,
            "call {number}: {found}, not {expected}",
            found = told(&found)
        );
    }
    Ok(())
}
