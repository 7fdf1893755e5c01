//! Chapter 1: what a person sees who gets a shell.

use std::{fs, os::unix::fs::MetadataExt};

use anyhow::{Context, ensure};
use nix::unistd::Pid;

use crate::{
    checks::{Check, holds},
    terminal::Terminal,
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        1,
        "without a command there is a shell, with a prompt",
        "set the environment variable PS1: user, hostname and folder say where a person is",
        |bench| {
            let script = "echo \"$PS1\"; uname -n; exit 3\n";
            let ended = bench.stage(NONE).input(script).finish()?.must_end_with(3)?;
            let text = ended.text();
            let (prompt, hostname) = text.trim_end().split_once('\n').context("two lines")?;
            let expected = format!("root@{hostname}:$PWD# ");
            ensure!(prompt == expected, "PS1 is {}, not {}", told(prompt), told(&expected));
            holds()
        },
    ),
    Check::new(
        1,
        "a shell on a terminal says who and where you are, whose the files are, and what to try",
        "a person in a shell must know what is different in here, whose files rm removes, and how \
         to leave: compare with what the first process had",
        |bench| {
            let mut terminal = Terminal::open(bench, &NONE)?;
            let shown = terminal.until("Leave: exit, Ctrl-D\r\n")?;
            let lines: Vec<&str> = shown.lines().filter(|line| !line.contains('[')).collect();
            let [who, files, attempts] = lines[..] else {
                anyhow::bail!("not three lines: {}", told(&lines))
            };
            let prompt = terminal.until("# ")?;
            let (pid, hostname) = (terminal.lowest()?, hostname_of(&prompt)?);
            let (new, is_new_user) = (new_namespaces(pid)?, is_new(pid, "user")?);
            let whose = if is_new_user {
                " in here"
            } else {
                ", as outside"
            };
            let expected = format!("You are root{whose} (hostname {hostname}), in {new} new");
            ensure!(who.starts_with(&expected), "it says {}, not {}", told(who), told(&expected));
            let own = identity("/")? == identity(&format!("/proc/{pid}/root/"))?;
            let expected = if own {
                "The files are your own"
            } else {
                "The files are an image's"
            };
            ensure!(files.starts_with(expected), "it says {}", told(files));
            terminal.write("uname -n; cd /; echo en''d\n")?;
            let named = terminal.until("end")?;
            ensure!(named.contains(&format!("\n{hostname}\r\n")), "uname: {}", told(&named));
            terminal.until(&format!("root@{hostname}:/# "))?;
            let attempts = attempts.strip_prefix("Try: ").context("nothing to try")?.trim_end();
            ensure!(attempts.contains(" · "), "too few to try: {}", told(attempts));
            for words in attempts.split(" · ") {
                terminal.write(&format!("{words} >/dev/null; echo =$?=\n"))?;
                terminal.until("=0=").with_context(|| format!("{words} is to be tried"))?;
            }
            terminal.write("exit 7\n")?;
            ensure!(terminal.end()? == 7, "the shell's status is lost");
            holds()
        },
    ),
    Check::new(
        1,
        "a shell says nothing with -q, and nothing that is no terminal gets the three lines",
        "the lines are for a person: a program that reads standard error, or -q, wants none",
        |bench| {
            let mut terminal = Terminal::open(bench, &["-q"])?;
            let shown = terminal.until("# ")?;
            ensure!(!shown.contains("You are"), "with -q it says {}", told(&shown));
            terminal.write("exit 7\n")?;
            ensure!(terminal.end()? == 7, "the shell's status is lost");
            let mut terminal = Terminal::open(bench, &["--", "sh", "-c", "echo 'en'd"])?;
            let shown = terminal.until("end\r\n")?;
            ensure!(!shown.contains("You are"), "with a script it says {}", told(&shown));
            ensure!(terminal.end()? == 0, "the script has failed");
            let ended = bench.stage(NONE).input("exit 3\n").finish()?.must_end_with(3)?;
            ensure!(!ended.errors.contains("You are"), "it says {}", told(&ended.errors));
            holds()
        },
    ),
];

const NONE: [&str; 0] = [];

/// The hostname in a prompt.
fn hostname_of(prompt: &str) -> anyhow::Result<String> {
    let (_, rest) = prompt.rsplit_once("root@").context("no prompt with a user")?;
    Ok(rest.split_once(':').context("no prompt with a hostname")?.0.to_owned())
}

/// How many of its namespaces this process does not have.
pub(in crate::checks) fn new_namespaces(pid: Pid) -> anyhow::Result<usize> {
    let kinds = ["user", "mnt", "pid", "uts", "ipc", "net", "cgroup", "time"];
    let mut number = 0;
    for kind in kinds {
        number += usize::from(is_new(pid, kind)?);
    }
    Ok(number)
}

fn is_new(pid: Pid, kind: &str) -> anyhow::Result<bool> {
    let link = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/{kind}"));
    match link("self") {
        Ok(own) => Ok(own != link(&pid.to_string())?),
        Err(_) => Ok(false), // this kernel has none of the kind
    }
}

/// The device and the inode number of a folder.
fn identity(folder: &str) -> anyhow::Result<(u64, u64)> {
    let data = fs::metadata(folder).with_context(|| format!("stat {folder}"))?;
    Ok((data.dev(), data.ino()))
}
