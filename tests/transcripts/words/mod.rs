//! Is every program there that the book, the exercises and the checks use?
//!
//! A word in command position is the shell's own, a program of the image, one of the
//! workspace, or one of the machine's that is on a list, with its package. One that is on no
//! list would be missing on some reader's machine, and nobody would know its package.

mod self_tests;
mod shell;
mod sources;
mod wrappers;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context, ensure};
use lab::programs::PROGRAMS;
use libtest_mimic::Trial;

use crate::{harness::trial, page::built_programs};

/// What a shell does itself, of what is used here.
#[rustfmt::skip]
const BUILTINS: [&str; 30] = [
    ".", ":", "[", "cd", "command", "continue", "break", "echo", "eval", "exec", "exit", "export",
    "false", "fg", "kill", "printf", "pwd", "read", "return", "set", "shift", "test", "trap",
    "true", "type", "ulimit", "umask", "until", "wait", "while",
];

/// Programs of the machine that are not in the image, each with its package on Debian.
#[rustfmt::skip]
const ON_THE_MACHINE: &[(&str, &[&str])] = &[
    ("bsdutils", &["script"]),
    ("cargo", &["cargo"]),
    ("coreutils", &["chroot", "cksum", "fold", "stty"]),
    ("make", &["make"]),
    ("stress", &["stress"]),
    ("util-linux", &["ipcmk", "ipcs", "nsenter", "pivot_root", "setsid"]),
];

/// Programs of the image that nothing here uses: a person at its prompt expects them.
const FOR_THE_PROMPT: [&str; 9] =
    ["bash", "df", "du", "false", "more", "mv", "tty", "whoami", "xargs"];

/// Words that no machine has: an experiment shows what happens then, or makes them itself.
#[rustfmt::skip]
const NOWHERE: [&str; 10] = [
    "", "/", "/etc", "/etc/passwd", "/set-user-id", "a", "no-such \"command\"", "no-such-command",
    "nsInitialisation", "only-here",
];

pub fn trials(workspace: &Path) -> Vec<Trial> {
    let with = |name: &str, test: fn(&Path) -> anyhow::Result<()>| {
        let workspace = workspace.to_owned();
        trial(format!("words: {name}"), move || test(&workspace))
    };
    let mut trials = vec![
        with("every program that is used has a package", has_a_package),
        with("every program of the lists is used, or is for the prompt", is_used),
        with("no transcript waits in a loop", waits_in_no_loop),
        with("a line after `> ` goes on with its command", goes_on),
    ];
    trials.extend(self_tests::trials());
    trials
}

/// The words in command position, and the files in which each stands.
type Used = BTreeMap<String, BTreeSet<String>>;

fn used(workspace: &Path) -> anyhow::Result<Used> {
    used_in(sources::scripts(workspace)?)
}

fn used_in(scripts: Vec<(String, String)>) -> anyhow::Result<Used> {
    let mut used = Used::new();
    for (place, script) in scripts {
        for word in shell::commands(&script).with_context(|| place.clone())? {
            used.entry(word).or_default().insert(place.clone());
        }
    }
    Ok(used)
}

fn has_a_package(workspace: &Path) -> anyhow::Result<()> {
    must_be_known(used(workspace)?, &built_programs(workspace)?)
}

fn must_be_known(mut used: Used, of_the_workspace: &BTreeSet<String>) -> anyhow::Result<()> {
    used.retain(|word, _| !is_known(word, of_the_workspace));
    let unknown: Vec<String> = used
        .into_iter()
        .map(|(word, places)| {
            format!("`{word}` in {}", places.into_iter().collect::<Vec<_>>().join(", "))
        })
        .collect();
    ensure!(
        unknown.is_empty(),
        "on no list of programs (lab::programs, ON_THE_MACHINE): {}",
        unknown.join("; ")
    );
    Ok(())
}

fn is_known(word: &str, of_the_workspace: &BTreeSet<String>) -> bool {
    let name = name_of(word);
    let in_list = |list: &[(&str, &[&str])]| list.iter().any(|(_, names)| names.contains(&name));
    // What a variable, a placeholder or the script itself decides is not known before it runs.
    let is_variable = word.starts_with('$') || word.contains(['{', '}']);
    let is_made_here = word.starts_with("./") || word == "/proc/self/exe";
    is_variable
        || is_made_here
        || BUILTINS.contains(&word)
        || NOWHERE.contains(&word)
        || in_list(PROGRAMS)
        || in_list(ON_THE_MACHINE)
        || of_the_workspace.contains(name)
        || word == wrappers::A_STAGE
}

/// A word without the folders of its path.
fn name_of(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

fn is_used(workspace: &Path) -> anyhow::Result<()> {
    let used = used(workspace)?;
    let used: BTreeSet<&str> = used.keys().map(|word| name_of(word)).collect();
    let unused = |list: &[(&'static str, &[&'static str])]| {
        let names = list.iter().flat_map(|(_, names)| names.iter().copied());
        names.filter(|name| !used.contains(*name)).collect::<BTreeSet<_>>()
    };
    let (in_image, on_the_machine) = (unused(PROGRAMS), unused(ON_THE_MACHINE));
    ensure!(on_the_machine.is_empty(), "used nowhere: {on_the_machine:?}");
    ensure!(
        in_image == BTreeSet::from(FOR_THE_PROMPT),
        "of the image, used nowhere: {in_image:?}; for the prompt: {FOR_THE_PROMPT:?}"
    );
    Ok(())
}

/// A loop that waits may never end. The other side can say a line, or end: that is waited for.
fn waits_in_no_loop(workspace: &Path) -> anyhow::Result<()> {
    for (place, script) in sources::scripts(workspace)? {
        if place.ends_with(".console") {
            must_not_loop(&script).with_context(|| place.clone())?;
        }
    }
    Ok(())
}

fn must_not_loop(script: &str) -> anyhow::Result<()> {
    let words = shell::commands(script)?;
    let found = words.iter().find(|word| ["until", "while"].contains(&word.as_str()));
    ensure!(
        found.is_none(),
        "a loop may never end; let the other side write a line, and wait for that: {script}"
    );
    Ok(())
}

/// Where a shell shows `> `, the lines before are no whole command.
fn goes_on(workspace: &Path) -> anyhow::Result<()> {
    for (place, script) in sources::scripts(workspace)? {
        if place.ends_with(".console") {
            must_go_on(&script).with_context(|| place.clone())?;
        }
    }
    Ok(())
}

fn must_go_on(script: &str) -> anyhow::Result<()> {
    for (end, _) in script.match_indices('\n') {
        let before = &script[..end];
        let asks_for_more = ["\\", "|", "&&"].iter().any(|ending| before.ends_with(ending));
        ensure!(
            asks_for_more || shell::commands(before).is_err(),
            "a shell would execute this before it reads the next line: {before}"
        );
    }
    Ok(())
}
