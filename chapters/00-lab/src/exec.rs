// ANCHOR: exec
//! How does this process become the command?

use std::{
    convert::Infallible,
    env,
    ffi::{OsStr, OsString},
    io::ErrorKind,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
};

use crate::info;

use crate::{Failure, voice};

/// The shell that runs where no command is given.
pub const SHELL: &str = "/bin/sh";

/// Replaces this process by `command`, or by a shell whose prompt names the stage if
/// `command` is empty. The name is looked up in `PATH` (execvp(3)).
///
/// # Errors
///
/// A [`Failure`] with status 127 if there is no such command, 126 if it cannot be executed.
pub fn exec(command: &[OsString]) -> anyhow::Result<Infallible> {
    become_command(prepare(command))
}

/// The shell's prompt: it names the stage.
pub fn prompt() -> String {
    format!("-[{}]- # ", voice::stage())
}

/// The command as [`exec`] runs it, for a chapter that changes its environment first.
pub fn prepare(command: &[OsString]) -> Command {
    let mut prepared = match command {
        [] => {
            let mut shell = Command::new(SHELL);
            shell.env("PS1", prompt());
            shell
        }
        [program, arguments @ ..] => {
            let mut named = Command::new(program);
            named.args(arguments);
            named
        }
    };
    prepared.env_remove(voice::VARIABLE);
    prepared
}

/// Replaces this process by what [`prepare`] prepared. std resets what Rust's start-up
/// changed (SIGPIPE is ignored in a Rust program, and execve(2) keeps ignored signals).
///
/// # Errors
///
/// As [`exec`].
pub fn become_command(mut command: Command) -> anyhow::Result<Infallible> {
    let words: Vec<String> = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(shown)
        .collect();
    info!("executing: {}", shortened(&words.join(" ")));
    let error = command.exec();
    Err(failure(&command, &error).into())
}
// ANCHOR_END: exec

// ANCHOR: words
/// A word as a person would read it on a log line: quoted where a shell would need it.
pub fn shown(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    let escaped = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    format!("'{}'", text.replace('\'', r"'\''").chars().map(escaped).collect::<String>())
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}
// ANCHOR_END: words

// ANCHOR: failure
fn failure(command: &Command, error: &std::io::Error) -> Failure {
    let program = command.get_program();
    let own_path = command
        .get_envs()
        .find(|(name, _)| *name == "PATH")
        .and_then(|(_, path)| path.map(OsStr::to_owned));
    let not_found = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
    let found = find(program, own_path.or_else(|| env::var_os("PATH")).as_deref());
    let (status, reason) = match found {
        Some(file) if not_found => (
            Failure::NOT_EXECUTABLE,
            format!(
                "{} is there, but the interpreter or loader that it names is not",
                file.display()
            ),
        ),
        // A folder of PATH that may not be searched is EACCES; a shell says "not found" all the
        // same.
        None if not_found || !is_path(program) => {
            (Failure::NOT_FOUND, "command not found".to_owned())
        }
        _ => (Failure::NOT_EXECUTABLE, error.to_string()),
    };
    Failure {
        status,
        message: format!("exec {}: {reason}", shown(program)),
    }
}

fn is_path(program: &OsStr) -> bool {
    program.as_encoded_bytes().contains(&b'/')
}

/// The executable file that execvp(3) finds for `program`: a name with a slash is a path,
/// any other is looked up in the folders of `path`.
pub fn find(program: &OsStr, path: Option<&OsStr>) -> Option<PathBuf> {
    let executable = |file: &Path| {
        file.metadata()
            .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    };
    if is_path(program) {
        return Some(PathBuf::from(program)).filter(|file| executable(file));
    }
    if program.is_empty() {
        return None;
    }
    env::split_paths(path?)
        .map(|folder| folder.join(program))
        .find(|file| executable(file))
}
// ANCHOR_END: failure

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_up_in_the_path_and_a_path_is_not() {
        let path = Some(OsStr::new("/nowhere:/bin"));
        assert_eq!(find(OsStr::new("sh"), path), Some("/bin/sh".into()));
        assert_eq!(find(OsStr::new("/bin/sh"), None), Some("/bin/sh".into()));
        assert_eq!(find(OsStr::new("./sh"), path), None);
        assert_eq!(find(OsStr::new(""), path), None);
        assert_eq!(find(OsStr::new("sh"), None), None);
    }

    #[test]
    fn words_are_shown_so_that_a_reader_can_tell_them_apart() {
        assert_eq!(shown(OsStr::new("/bin/sh")), "/bin/sh");
        assert_eq!(shown(OsStr::new("a b")), "'a b'");
        assert_eq!(shown(OsStr::new("it's")), r"'it'\''s'");
        assert_eq!(shown(OsStr::new("")), "''");
        assert_eq!(shown(OsStr::new("a\nb\x1b[2J")), r"'a\nb\u{1b}[2J'");
    }
}
