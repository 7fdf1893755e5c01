//! Chapter 13: a profile of your own.

use anyhow::ensure;
use nix::{sys::stat::Mode, unistd::mkfifo};

use super::{answers, effects::written};
use crate::{
    Bench,
    bench::Ended,
    checks::{Check, holds},
    named::call,
    records::last_of,
    seccomp::kill_at_clone,
    terminal::Terminal,
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        13,
        "a profile of your own does what it says",
        "an item has calls, an action with its errno, and arguments that must all match; where two \
         items match, the more severe one wins, and the default is for all others",
        |bench| {
            let own = profile(bench, "own.json", OWN)?;
            let calls = [
                written(libc::SYS_keyctl, "0"),
                written(libc::SYS_request_key, "0 0 0 0"),
                written(libc::SYS_dup3, "9994 50 0"),
                written(libc::SYS_dup3, "9995 50 0"),
                written(libc::SYS_dup3, "9996 99 0"),
                written(libc::SYS_dup3, "9995 100 0"),
                written(libc::SYS_add_key, "0 0 0 0 0"),
                written(libc::SYS_sethostname, "0 0"),
                written(libc::SYS_setdomainname, "0 0"),
                written(libc::SYS_umount2, "0 0"),
                written(libc::SYS_unshare, "268435456"),
                written(0x4000_0000 + libc::SYS_keyctl, "0"), // keyctl of x32
            ];
            let expected = [
                "E2BIG", "EAGAIN", "EBADF", "ENOMEM", "ENOMEM", "EBADF", "SIGSYS", "SIGSYS",
                "SIGSYS", "EPERM", "0", "ENOSYS",
            ];
            let found = answers(bench, &["--seccomp", &own], &calls)?;
            ensure!(found == expected, "the answers are {found}", found = told(&found));
            // One that only writes down what is called refuses nothing, but x32.
            let log = profile(bench, "log.json", r#"{"defaultAction":"SCMP_ACT_LOG"}"#)?;
            let found = answers(bench, &["--seccomp", &log], &calls[calls.len() - 2..])?;
            ensure!(found == ["0", "ENOSYS"], "the answers are {found}", found = told(&found));
            holds()
        },
    ),
    Check::new(
        13,
        "a profile that cannot be meant is refused in one line, before anything is made",
        "read the whole profile, compile it and try it before you clone: a filter with a hole is \
         worse than none",
        |bench| {
            for (name, text, says) in WRONG {
                let file = profile(bench, name, text)?;
                let words = ["run", "-q", "--seccomp", &file, "--", "true"];
                let run = call(bench, &words).with(kill_at_clone()?);
                must_be_refused(run.finish()?, &[name, says])?;
            }
            holds()
        },
    ),
    Check::new(
        13,
        "a profile under which no command starts is refused in one line",
        "between the filter and the command's first instruction there is more than one call: let \
         a child try it, and do not let the container find out",
        |bench| {
            for call_and_action in [
                r#""execve"],"action":"SCMP_ACT_ERRNO""#,
                r#""execve"],"action":"SCMP_ACT_KILL_PROCESS""#,
                r#""execve"],"action":"SCMP_ACT_TRAP""#,
                r#""write","keyctl"],"action":"SCMP_ACT_ERRNO""#,
            ] {
                let text = format!(
                    r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
                        {{"names":[{call_and_action}}}]}}"#
                );
                let file = profile(bench, "severe.json", &text)?;
                let ended =
                    call(bench, &["run", "-q", "--seccomp", &file, "--", "true"]).finish()?;
                must_be_refused(ended, &["severe.json", "no command starts"])?;
            }
            for answer in ["ERRNO", "KILL", "KILL_PROCESS"] {
                let text = format!(r#"{{"defaultAction":"SCMP_ACT_{answer}"}}"#);
                let file = profile(bench, "all.json", &text)?;
                let ended =
                    call(bench, &["run", "-q", "--seccomp", &file, "--", "true"]).finish()?;
                must_be_refused(ended, &["all.json", "no command starts"])?;
            }
            holds()
        },
    ),
    Check::new(
        13,
        "the log makes no call that the filter may kill",
        "a line is as wide as the terminal, and a record in JSON tells what the process is: both \
         take system calls. Make them before the filter is installed, and not after",
        |bench| {
            let calls = r#""capget","prctl","socket","ioctl","getsockopt","statfs""#;
            let text = format!(
                r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
                    {{"names":[{calls}],"action":"SCMP_ACT_KILL_PROCESS"}}]}}"#
            );
            let file = profile(bench, "kills.json", &text)?;
            let plain = call(bench, &["run", "-v", "--seccomp", &file, "--", "true"]);
            plain.finish()?.must_end_with(0)?;
            let on_a_terminal = call(bench, &["run", "-v", "--seccomp", &file, "--", "true"]);
            let status = Terminal::of(on_a_terminal)?.end()?;
            ensure!(status == 0, "on a terminal, its exit status is {status}, not 0");
            let words = ["run", "--log-format", "json", "--seccomp", &file, "--", "true"];
            let ended = call(bench, &words).finish()?.must_end_with(0)?;
            let last = last_of(&ended.errors, "child")?;
            let kept = last.get("capabilities").and_then(|number| number.get::<f64>());
            ensure!(kept == Some(&14.0), "the records do not say that 14 capabilities are left");
            holds()
        },
    ),
    Check::new(
        13,
        "a profile that is no file, or too long, does not hang",
        "an open(2) of a fifo waits for a writer, and a device may never end: look what it is, \
         and read no more than a profile has",
        |bench| {
            mkfifo(&bench.folder.join("fifo"), Mode::from_bits_truncate(0o666))?;
            let long = format!("{}{OWN}", " ".repeat(2 << 20));
            profile(bench, "long.json", &long)?;
            bench.file("secret.json", OWN, 0)?;
            let mut files = vec![
                ("fifo", "no regular file"),
                ("/dev/zero", "no regular file"),
                ("/", "no regular file"),
                ("long.json", "longer than"),
                ("nowhere.json", "No such file"),
                ("", "No such file"),
            ];
            if bench.user == crate::User::Ordinary {
                files.push(("secret.json", "Permission denied"));
            }
            for (file, says) in files {
                let words = ["run", "-q", "--seccomp", file, "--", "true"];
                let run = call(bench, &words).with(kill_at_clone()?);
                must_be_refused(run.finish()?, &["--seccomp", file, says])?;
            }
            holds()
        },
    ),
];

/// What is tried with it is not what Docker forbids.
pub(super) const OWN: &str = r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":[],"syscalls":[
    {"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":7},
    {"names":["request_key","getuid"],"action":"SCMP_ACT_LOG"},
    {"names":["request_key"],"action":"SCMP_ACT_ERRNO","errnoRet":11},
    {"names":["dup3"],"action":"SCMP_ACT_ERRNO","errnoRet":12,
     "args":[{"index":0,"op":"SCMP_CMP_GE","value":9995},
             {"index":1,"op":"SCMP_CMP_LT","value":100}]},
    {"names":["add_key"],"action":"SCMP_ACT_KILL_PROCESS"},
    {"names":["sethostname"],"action":"SCMP_ACT_TRAP"},
    {"names":["setdomainname"],"action":"SCMP_ACT_KILL"},
    {"names":["umount2"],"action":"SCMP_ACT_ERRNO"}]}"#;

/// A file's name, what is in it, and a part of the error.
const WRONG: [(&str, &str, &str); 12] = [
    ("empty.json", "", "it is not JSON"),
    ("text.json", "defaultAction: allow\n", "it is not JSON"),
    (
        "cut.json",
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":["#,
        "it is not JSON",
    ),
    ("list.json", "[]", "no object"),
    ("none.json", "{}", "it has no defaultAction"),
    ("deep.json", DEEP, "levels deep"),
    (
        "action.json",
        r#"{"defaultAction":"SCMP_ACT_REFUSE"}"#,
        r#""SCMP_ACT_REFUSE" is unknown"#,
    ),
    (
        "call.json",
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
           {"names":["read"],"action":"SCMP_ACT_LOG"},{"names":["fly"],"action":"SCMP_ACT_LOG"}]}"#,
        r#"syscalls[1]: there is no system call "fly""#,
    ),
    (
        "success.json",
        r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":0}"#,
        "defaultErrnoRet 0",
    ),
    (
        "operator.json",
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["dup"],"action":"SCMP_ACT_LOG",
           "args":[{"index":0,"op":"SCMP_CMP_LIKE","value":1}]}]}"#,
        r#"op "SCMP_CMP_LIKE" is unknown"#,
    ),
    (
        "argument.json",
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["dup"],"action":"SCMP_ACT_LOG",
           "args":[{"index":6,"op":"SCMP_CMP_EQ","value":1}]}]}"#,
        "index 6",
    ),
    (
        "docker.json",
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["dup"],"action":"SCMP_ACT_LOG",
           "excludes":{"caps":["CAP_CHOWN"]}}]}"#,
        "excludes is of Docker's own form",
    ),
];

const DEEP: &str = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[";

/// A file of the bench's.
pub(super) fn profile(bench: &Bench, name: &str, text: &str) -> anyhow::Result<String> {
    Ok(bench.file(name, text, 0o644)?.display().to_string())
}

/// One line, and status 125.
pub(super) fn must_be_refused(ended: Ended, words: &[&str]) -> anyhow::Result<()> {
    ended.must_end_with(125)?.must_write("")?.must_complain(words).map(drop)
}
