//! Chapter 13: what a capability and the filter do to one call.

use std::fmt::Display;

use anyhow::ensure;
use libc::{
    SYS_chroot, SYS_fchownat, SYS_mknodat, SYS_sethostname, SYS_socket, SYS_unshare, c_long,
};

use super::{OPEN, answers};
use crate::{
    Bench, User,
    checks::{Check, holds},
    layered::layers_with_inside,
    named::call,
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        13,
        "a call succeeds with its capability and fails without",
        "the kernel asks for one capability where it used to ask for uid 0: who has it not is \
         told EPERM, whatever the filter lets through",
        |bench| {
            let mut calls = vec![
                (written(SYS_socket, "2 3 1"), "NET_RAW"), // IPv4, raw, ICMP
                (written(SYS_chroot, "/"), "SYS_CHROOT"),
            ];
            // An ordinary user's container has one id only, and what has it already is no change.
            if bench.user == User::Root {
                calls.push((written(SYS_fchownat, "4294967196 /inside 5 5 0"), "CHOWN"));
            }
            let (calls, names): (Vec<String>, Vec<&str>) = calls.into_iter().unzip();
            let dropped = names.iter().flat_map(|name| ["--cap-drop", name]).collect::<Vec<_>>();
            let without_filter = [&dropped[..], &["--seccomp", "unconfined"]].concat();
            must_answer(bench, &[], &calls, "0")?;
            must_answer(bench, &dropped, &calls, "EPERM")?;
            must_answer(bench, &without_filter, &calls, "EPERM")?;
            holds()
        },
    ),
    Check::new(
        13,
        "a low port takes a capability, and a hostname two walls less",
        "NET_BIND_SERVICE is one of Docker's fourteen; for sethostname(2) the filter and the \
         kernel both want SYS_ADMIN",
        |bench| {
            for (options, expected) in [
                (&[][..], "ok\n"),
                (&["--cap-drop", "NET_BIND_SERVICE"], "Permission denied (os error 13)\n"),
            ] {
                let layers = layers_with_inside(bench)?;
                let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
                let command = ["--", "/inside", "listen", "80"];
                let words = [&["run", "-q"], options, &layers, &command].concat();
                call(bench, &words).finish()?.must_end_with(0)?.must_write(expected)?;
            }
            // The length is looked at after the capability.
            let hostname = [written(SYS_sethostname, "0 9999")];
            must_answer(bench, &[], &hostname, "EPERM")?;
            must_answer(bench, &["--seccomp", "unconfined"], &hostname, "EPERM")?;
            must_answer(bench, &["--cap-add", "SYS_ADMIN"], &hostname, "EINVAL")?;
            holds()
        },
    ),
    Check::new(
        13,
        "a new user namespace takes no capability, so only the filter refuses it",
        "in a new user namespace a process has all capabilities: without a filter, the dropped \
         ones are one unshare(2) away",
        |bench| {
            let user = [written(SYS_unshare, libc::CLONE_NEWUSER)];
            must_answer(bench, &["--cap-drop", "ALL"], &user, "EPERM")?;
            let without_filter = ["--cap-drop", "ALL", "--seccomp", "unconfined"];
            must_answer(bench, &without_filter, &user, "0")?;
            holds()
        },
    ),
    Check::new(
        13,
        "no capability inside makes a device",
        "the kernel asks for MKNOD in the first user namespace: it is one of Docker's fourteen, \
         and gives nothing in a container with a user namespace",
        |bench| {
            let file = |kind: u32, name: &str| {
                written(SYS_mknodat, format!("4294967196 {name} {} 259", kind | 0o666))
            };
            let (null, fifo) = (file(libc::S_IFCHR, "/null"), file(libc::S_IFIFO, "/fifo"));
            for options in [&[][..], &OPEN] {
                must_answer(bench, options, std::slice::from_ref(&null), "EPERM")?;
                must_answer(bench, options, std::slice::from_ref(&fifo), "0")?;
            }
            holds()
        },
    ),
];

/// As `inside call` takes it.
pub(super) fn written(number: c_long, arguments: impl Display) -> String {
    format!("{number} {arguments}").trim_end().to_owned()
}

fn must_answer(
    bench: &Bench,
    options: &[&str],
    calls: &[String],
    expected: &str,
) -> anyhow::Result<()> {
    for (made, answer) in calls.iter().zip(answers(bench, options, calls)?) {
        ensure!(
            answer == expected,
            "with {options}, the kernel answers {answer} to {made}, not {expected}",
            options = told(&options),
            made = told(made)
        );
    }
    Ok(())
}
