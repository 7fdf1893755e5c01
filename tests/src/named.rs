//! How is a container with a name run, and found again?

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::{
    sys::wait::{WaitPidFlag, waitpid},
    unistd::Pid,
};

use crate::{
    Bench,
    bench::{Run, Running},
    host, patience, told,
};

/// A run of the stage with any of its subcommands, whose entries are in the user's temporary
/// folder.
pub fn call<'a>(bench: &'a Bench, words: &[&str]) -> Run<'a> {
    bench.run(&bench.binary, words).env("XDG_RUNTIME_DIR", bench.temporary())
}

/// `exec WORDS… -- sh -c SCRIPT`, without its log.
pub fn exec<'a>(bench: &'a Bench, words: &[&str], script: &str) -> Run<'a> {
    call(bench, &[&["exec", "-q"], words, &["--", "sh", "-c", script]].concat())
}

/// A container that is called so, once its command runs: it waits for the end of its input.
///
/// # Errors
///
/// It does not start.
pub fn container(bench: &Bench, name: &str, options: &[&str]) -> anyhow::Result<Running> {
    container_that(bench, name, options, "echo up; cat")
}

/// Likewise, with another command, which says `up`.
///
/// # Errors
///
/// It does not start.
pub fn container_that(
    bench: &Bench,
    name: &str,
    options: &[&str],
    script: &str,
) -> anyhow::Result<Running> {
    let words = [&["run", "-i", "--name", name], options, &["--", "sh", "-c", script]].concat();
    let mut running = call(bench, &words).start_waiting()?;
    running.until("up\n")?;
    Ok(running)
}

/// The folder of the entries.
pub fn entries(bench: &Bench) -> PathBuf {
    bench.temporary().join("clone-to-container")
}

/// The file of an entry.
pub fn entry(bench: &Bench, name: &str) -> PathBuf {
    entries(bench).join(name)
}

/// The text of an entry in which the process of `field` started this much earlier.
///
/// # Errors
///
/// There is no such entry, or no such line in it.
pub fn with_other_start(bench: &Bench, name: &str, field: &str) -> anyhow::Result<String> {
    let text = fs::read_to_string(entry(bench, name)).context("read an entry")?;
    let line = text.lines().find(|line| line.starts_with(&format!("{field} ")));
    let line = line.with_context(|| format!("no line {field} in {text}"))?;
    let words: Vec<&str> = line.split(' ').collect();
    let [_, pid, start, inode] = words[..] else {
        anyhow::bail!("a line of an entry is {line}", line = told(&line))
    };
    let earlier = start.parse::<u64>()? - 1;
    Ok(text.replace(line, &format!("{field} {pid} {earlier} {inode}")))
}

/// The text of an entry without the line of its container, as it is before that is set up.
///
/// # Errors
///
/// There is no such entry.
pub fn without_container(bench: &Bench, name: &str) -> anyhow::Result<String> {
    let text = fs::read_to_string(entry(bench, name)).context("read an entry")?;
    let lines = text.split_inclusive('\n').filter(|line| !line.starts_with("container "));
    Ok(lines.collect())
}

/// The table of `ps`, without its head.
fn ps(bench: &Bench) -> anyhow::Result<Vec<Vec<String>>> {
    let text = call(bench, &["ps"]).finish()?.must_end_with(0)?.text();
    ensure!(text.starts_with("NAME"), "ps wrote {text}", text = told(&text));
    Ok(text
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect())
}

/// `ps` must list just these; a shell that has said `up` may take a moment to become its command.
///
/// # Errors
///
/// It lists others.
pub fn must_list(bench: &Bench, expected: &[Vec<String>]) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        let found = ps(bench)?;
        if found == expected {
            return Ok(());
        }
        ensure!(
            start.elapsed() < patience(Duration::from_secs(1)),
            "ps lists {found}, not {expected}",
            found = told(&found),
            expected = told(&expected)
        );
    }
}

/// Waits until the judge has no child but this one.
///
/// # Errors
///
/// Others stay.
pub fn nobody_stays_but(running: &Running) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        let others: Vec<Pid> =
            host::children()?.into_iter().filter(|pid| *pid != running.pid()).collect();
        for pid in &others {
            // What a killed stage left is the judge's child now.
            let _ = waitpid(*pid, Some(WaitPidFlag::WNOHANG));
        }
        if others.is_empty() {
            return Ok(());
        }
        ensure!(
            start.elapsed() < patience(Duration::from_secs(5)),
            "these stay: {others}",
            others = told(&others)
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}
