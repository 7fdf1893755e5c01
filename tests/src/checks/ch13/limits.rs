//! Chapter 13: how much a process may use.

use std::fs;

use anyhow::{Context, ensure};
use nix::unistd::Pid;

use super::{files::must_be_refused, in_exec};
use crate::{
    Bench, User,
    checks::{Check, holds},
    named::{call, container, container_that},
    process::{children_of, status},
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        13,
        "--ulimit is the command's limit, and exec's",
        "setrlimit(2) in the process that becomes the command, last: with few descriptors the \
         runtime could not go on. A limit is a process's own, so exec must set it again",
        |bench| {
            let limits = ["--ulimit", "nofile=20:30", "--ulimit", "core=0", "--ulimit", "cpu=7:8"];
            let expected = [
                ("Max open files", "20 30"),
                ("Max core file size", "0 0"),
                ("Max cpu time", "7 8"),
            ];
            for options in [&["-q"][..], &["-q", "--init"]] {
                all_must(bench, &[options, &limits].concat(), |pid| {
                    for (name, limit) in expected {
                        let found = limit_of(pid, name)?;
                        ensure!(found == limit, "{name}: {found}, not {limit}");
                    }
                    Ok(())
                })?;
            }
            holds()
        },
    ),
    Check::new(
        13,
        "inside, nobody raises a limit",
        "the kernel asks for CAP_SYS_RESOURCE in the first user namespace: no --cap-add gives it",
        |bench| {
            let script = "ulimit -Sn 30 && ulimit -Hn 31 2>/dev/null && echo raised; ulimit -Hn";
            let options =
                ["--ulimit", "nofile=20:30", "--cap-add", "ALL", "--seccomp", "unconfined"];
            let words = [&["run", "-q"], &options[..], &["--", "sh", "-c", script]].concat();
            call(bench, &words).finish()?.must_end_with(0)?.must_write("30\n")?;
            holds()
        },
    ),
    Check::new(
        13,
        "a limit above your hard limit is refused in one line, or root grants it",
        "to raise a hard limit takes CAP_SYS_RESOURCE outside: the parent does it before it \
         clones, for run and for exec",
        |bench| {
            let own = limit_of(Pid::this(), "Max open files")?;
            let hard: u64 = own.split(' ').nth(1).context("a hard limit")?.parse()?;
            let more = (hard + 1).to_string();
            let limit = format!("nofile={more}:{more}");
            if !may_raise(bench)? {
                let ended =
                    call(bench, &["run", "-q", "--ulimit", &limit, "--", "true"]).finish()?;
                must_be_refused(
                    ended,
                    &["setrlimit nofile", &format!("the hard limit is {hard}")],
                )?;
                return holds();
            }
            let running = container(bench, "box", &["-q", "--ulimit", &limit])?;
            let found = [
                limit_of(running.command()?, "Max open files")?,
                in_exec(bench, &["box"], |pid| limit_of(pid, "Max open files"))?,
            ];
            let is_granted = found.iter().all(|found| *found == format!("{more} {more}"));
            ensure!(is_granted, "they are {found}, not {more}", found = told(&found));
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        13,
        "--oom-score-adj is the command's, and exec's",
        "a process may raise its own score and give it to its children: set it outside, because \
         inside /proc/self/oom_score_adj may be read-only",
        |bench| {
            let own = score_of(Pid::this())?;
            let higher = (own.max(0) + 300).to_string();
            for options in [&["-q"][..], &["-q", "--init"]] {
                let words = [options, &["--oom-score-adj", &higher]].concat();
                all_must(bench, &words, |pid| {
                    let found = score_of(pid)?.to_string();
                    ensure!(found == higher, "it is {found}, not {higher}");
                    Ok(())
                })?;
            }
            holds()
        },
    ),
    Check::new(
        13,
        "a lower score takes root of the machine, and cannot be set inside",
        "to lower a score below the one that root set last takes CAP_SYS_RESOURCE in the first \
         user namespace",
        |bench| {
            let lower = score_of(Pid::this())?.min(0) - 1;
            let words = ["run", "-q", "--oom-score-adj", &lower.to_string(), "--", "true"];
            let ended = call(bench, &words).finish()?;
            match may_raise(bench)? {
                true => drop(ended.must_end_with(0)?.must_write("")?),
                false => must_be_refused(ended, &["oom_score_adj", "root of the machine"])?,
            }
            let script = format!(
                "echo up; {{ echo {lower} >/proc/self/oom_score_adj; }} 2>/dev/null
                                  cat /proc/self/oom_score_adj; cat"
            );
            let options = ["-q", "--cap-add", "ALL", "--seccomp", "unconfined"];
            let running = container_that(bench, "box", &options, &script)?;
            let found = running.release()?.must_end_with(0)?.text();
            let score: i32 = found.trim_start_matches("up\n").trim().parse()?;
            ensure!(score > lower, "inside it is {found}", found = told(&found));
            holds()
        },
    ),
];

/// What holds for PID 1 of a container with these options, for its children, and for the command of
/// an `exec` by name or by pid.
fn all_must(
    bench: &Bench,
    options: &[&str],
    have: impl Fn(Pid) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let running = container(bench, "box", options)?;
    let pid = running.command()?;
    have(pid)?;
    children_of(pid)?.into_iter().try_for_each(&have)?;
    in_exec(bench, &["box"], &have)?;
    in_exec(bench, &["--target", &pid.to_string(), "--all"], &have)?;
    running.release()?.must_end_with(0)?;
    Ok(())
}

/// `SOFT HARD`, as /proc/PID/limits has it.
fn limit_of(pid: Pid, name: &str) -> anyhow::Result<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).context("read the limits")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let words: Vec<&str> = line.context("no such limit")?.split_whitespace().take(2).collect();
    Ok(words.join(" "))
}

fn score_of(pid: Pid) -> anyhow::Result<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).context("read a score")?;
    Ok(text.trim().parse()?)
}

/// Whether the stage has CAP_SYS_RESOURCE, as this process has it.
fn may_raise(bench: &Bench) -> anyhow::Result<bool> {
    let set = u64::from_str_radix(&status(Pid::this(), "CapEff")?, 16)?;
    Ok(bench.user == User::Root && set & 1 << 24 != 0)
}
