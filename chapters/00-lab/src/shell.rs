// ANCHOR: shell
//! What does a person see who gets a shell?
//!
//! On a terminal, three lines: who and where they are, whose the files are, and what to try. Then a
//! prompt that says the same in short: `root@box:/#`.

use std::{
    ffi::OsStr,
    io::{IsTerminal, stderr, stdin},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

use nix::unistd::{geteuid, gethostname};

use crate::{
    Kind, Namespaces, context,
    exec::find,
    log::{self, visible},
};

/// The shell that is everywhere.
pub const SHELL: &str = "/bin/sh";

/// One with line editing, which is not.
const COMFORTABLE: [&str; 2] = ["/bin/bash", "/usr/bin/bash"];

/// What is a shell, if it is the command.
const KNOWN: [&str; 8] = ["sh", "ash", "bash", "dash", "fish", "ksh", "mksh", "zsh"];

/// The shell that runs where no command is given: on a terminal one with line editing, if the root
/// of this process has one.
pub(crate) fn of_this_root() -> Command {
    let is_there = |file: &&str| {
        let data = Path::new(file).metadata();
        data.is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    };
    match COMFORTABLE.into_iter().find(|file| is_on_a_terminal() && is_there(file)) {
        Some(bash) => {
            let mut shell = Command::new(bash);
            shell.arg("--norc");
            shell
        }
        None => Command::new(SHELL),
    }
}

/// Gives the shell its prompt, if it has none. It keeps no history: the file would be yours, where
/// the home folder is, and bash cuts it.
pub(crate) fn furnish(shell: &mut Command) {
    for (name, value) in [("PS1", prompt()), ("HISTFILE", String::new())] {
        if !shell.get_envs().any(|(other, _)| other == name) {
            shell.env(name, value);
        }
    }
}

/// User, hostname and folder, and a sign that says whether it is root. The shell itself expands
/// PWD, and would expand more: so of the hostname only what a hostname should consist of.
fn prompt() -> String {
    let user = geteuid();
    let (name, sign) = match user.is_root() {
        true => ("root".to_owned(), '#'),
        false => (user.to_string(), '$'),
    };
    let plain = |c: char| match c.is_ascii_alphanumeric() || "._-".contains(c) {
        true => c,
        false => '?',
    };
    format!("{name}@{}:$PWD{sign} ", hostname().chars().map(plain).collect::<String>())
}

/// The lines before the command's own, if it is a shell for a person.
pub(crate) fn welcome(command: &Command) -> Option<String> {
    // In this order: a filter of system calls may kill a process that asks for a terminal.
    let is_wanted = is_interactive(words(command)) && log::says_something() && is_on_a_terminal();
    is_wanted.then(|| {
        let outside = context::outside();
        let new = outside.new_namespaces();
        let files = match (outside.has_this_root(), outside.has_other_layers()) {
            (true, _) => "your own machine's: rm removes your files for good",
            (false, true) => "an image's, and not your own machine's",
            (false, false) => "another folder's of your machine: what rm removes is gone",
        };
        let attempts = attempts(command, new, !outside.has_this_root());
        let end = context::look().end();
        format!(
            "{}{end}The files are {files}.{end}Try: {attempts}   Leave: exit, Ctrl-D{end}",
            who(new)
        )
    })
}

fn hostname() -> String {
    gethostname()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

pub(crate) fn is_on_a_terminal() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Whether these words are a shell that reads what is typed: it has no script.
pub fn is_interactive<'a>(mut words: impl Iterator<Item = &'a OsStr>) -> bool {
    let program = words.next().map(Path::new).and_then(Path::file_name);
    let is_shell = program.and_then(OsStr::to_str).is_some_and(|name| KNOWN.contains(&name));
    let is_option = |word: &OsStr| {
        let bytes = word.as_encoded_bytes();
        bytes.starts_with(b"--") || bytes.starts_with(b"-") && !bytes.contains(&b'c')
    };
    is_shell && words.all(is_option)
}

fn words(command: &Command) -> impl Iterator<Item = &OsStr> {
    [command.get_program()].into_iter().chain(command.get_args())
}

/// The first line.
fn who(new: Namespaces) -> String {
    let user = geteuid();
    let name = match user.is_root() {
        true => "root".to_owned(),
        false => format!("uid {user}"),
    };
    let whose = match new.contains(Kind::User) {
        true => " in here",
        false => ", as outside",
    };
    let (number, host) = (new.kinds().count(), visible(&hostname()));
    let s = if number == 1 { "" } else { "s" };
    format!("You are {name}{whose} (hostname {host}), in {number} new namespace{s}.")
}

/// Up to three commands that show what is new, the last chapter's first.
fn attempts(command: &Command, new: Namespaces, is_image: bool) -> String {
    let own_path = command.get_envs().find(|(name, _)| *name == "PATH");
    let path = own_path.and_then(|(_, path)| path.map(OsStr::to_owned));
    let path = path.or_else(|| std::env::var_os("PATH"));
    let is_there = |words: &str| {
        let program = words.split(' ').next().unwrap_or(words);
        find(program.as_ref(), path.as_deref()).is_some()
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let has_filter = status.contains("Seccomp:\t2");
    let all = [
        (has_filter, "grep Cap /proc/self/status"),
        (is_image, "ls /"),
        (new.contains(Kind::Network), "cat /proc/net/dev"),
        (new.contains(Kind::User), "id"),
        (new.contains(Kind::Pid) && new.contains(Kind::Mount), "ps"),
        (new.contains(Kind::Pid), "echo $$"),
        (new.contains(Kind::Ipc), "ipcs -q"),
        (new.contains(Kind::Uts), "hostname"),
        (new.contains(Kind::Uts), "readlink /proc/self/ns/uts"),
    ];
    let fitting = all.into_iter().filter(|(is_new, words)| *is_new && is_there(words));
    fitting.map(|(_, words)| words).take(3).collect::<Vec<_>>().join(" · ")
}
// ANCHOR_END: shell

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_with_a_script_is_not_for_a_person() {
        let is = |line: &str| is_interactive(line.split_whitespace().map(OsStr::new));
        for line in ["sh", "/bin/bash --norc -i -l", "ash -e", "mksh"] {
            assert!(is(line), "{line:?}");
        }
        for line in ["", "sh -c true", "bash -ec true", "sh script", "sh -e script", "cat"] {
            assert!(!is(line), "{line:?}");
        }
    }

    #[test]
    fn a_shell_keeps_the_prompt_that_was_asked_for() {
        let mut shell = Command::new(SHELL);
        shell.env("PS1", "mine");
        furnish(&mut shell);
        let value = |name| shell.get_envs().find(|(other, _)| *other == name).and_then(|(_, v)| v);
        assert_eq!(value("PS1"), Some("mine".as_ref()));
        assert_eq!(value("HISTFILE"), Some("".as_ref()));
        assert!(prompt().ends_with(if geteuid().is_root() {
            ":$PWD# "
        } else {
            ":$PWD$ "
        }));
    }
}
