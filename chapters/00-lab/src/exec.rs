// ANCHOR: exec
//! How does this process become another program?

use std::{
    convert::Infallible,
    env,
    ffi::{OsStr, OsString},
    io,
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use crate::{
    Exit, Failure, context, descriptors,
    error_pipe::ErrorPipe,
    errors::Fault,
    info,
    log::{self, visible},
    shell,
};

/// The name under which the pipe for the error crosses an execve(2).
const ERRORS: &str = "errors";

/// A program that a process is to become.
#[derive(Debug)]
pub struct Program {
    /// Its file, arguments and environment.
    pub command: Command,
    /// The role of this process from then on, if the program is one of ours: then it goes on with
    /// the log, and with the pipe for the error.
    role: Option<&'static str>,
    /// What it inherits, besides its three streams.
    descriptors: Vec<(&'static str, OwnedFd)>,
    /// What is closed by the execve(2), and not before.
    kept: Vec<OwnedFd>,
    /// Whether it is the shell that runs where no command is given.
    is_default: bool,
}

impl Program {
    /// The command of a person. The name is looked up in `PATH` (execvp(3)). No word is: a shell.
    pub fn command(words: &[OsString]) -> Program {
        let command = match words {
            [] => shell::of_this_root(),
            [program, arguments @ ..] => {
                let mut named = Command::new(program);
                named.args(arguments);
                named
            }
        };
        Program {
            command,
            role: None,
            descriptors: Vec::new(),
            kept: Vec::new(),
            is_default: words.is_empty(),
        }
    }

    /// A program of ours, in which this process speaks as `role`.
    pub fn of_ours(command: Command, role: &'static str) -> Program {
        Program {
            command,
            role: Some(role),
            descriptors: Vec::new(),
            kept: Vec::new(),
            is_default: false,
        }
    }

    /// Lets a program of ours inherit this descriptor, which it takes by this name
    /// ([`descriptors::take`]).
    pub fn with(mut self, name: &'static str, descriptor: impl Into<OwnedFd>) -> Program {
        self.descriptors.push((name, descriptor.into()));
        self
    }

    /// Keeps a descriptor open up to the execve(2), which closes it: the program's own file.
    pub fn keeping(mut self, descriptor: OwnedFd) -> Program {
        self.kept.push(descriptor);
        self
    }

    /// Becomes it. std sets back what Rust's own start changed: SIGPIPE, which it ignores, to its
    /// default.
    pub(crate) fn exec(mut self, errors: Option<&mut ErrorPipe>) -> anyhow::Result<Infallible> {
        if let Some(role) = self.role {
            context::hand_over(&mut self.command, role);
            if let Some(pipe) = errors {
                descriptors::hand_over(&mut self.command, ERRORS, pipe)?;
            }
            for (name, descriptor) in &self.descriptors {
                descriptors::hand_over(&mut self.command, name, descriptor)?;
            }
            let error = self.command.exec();
            return Err(error).with_context(|| format!("exec {:?}", self.command.get_program()));
        }
        self.command.env_remove(context::VARIABLE).env_remove(descriptors::VARIABLE);
        let words = [self.command.get_program()].into_iter().chain(self.command.get_args());
        let words: Vec<String> = words.map(shown).collect();
        info!("executing: {}", shortened(&words.join(" ")));
        if self.is_default {
            shell::furnish(&mut self.command);
        }
        if let Some(lines) = shell::welcome(&self.command) {
            log::write(&lines);
        }
        if let Some(pipe) = errors {
            pipe.executing().context("the parent has ended")?;
        }
        let error = self.command.exec();
        Err(failure(&self.command, &error).into())
    }
}

/// How a process goes on that has done its part.
#[derive(Debug)]
pub enum Next {
    /// It ends.
    End(Exit),
    /// It becomes this program.
    Become(Box<Program>),
}

impl From<Exit> for Next {
    fn from(exit: Exit) -> Next {
        Next::End(exit)
    }
}

impl From<Program> for Next {
    fn from(program: Program) -> Next {
        Next::Become(Box::new(program))
    }
}

/// Ends a process of ours, or lets it become what comes next, and reports its error where that
/// belongs, once: into the pipe to the parent, or as one line to standard error. Returns the exit
/// status.
pub fn go_on(next: anyhow::Result<impl Into<Next>>, mut errors: Option<ErrorPipe>) -> u8 {
    let error = match next.map(Into::into) {
        Ok(Next::End(exit)) => {
            if let Some(mut pipe) = errors {
                pipe.ending();
            }
            return exit.status();
        }
        Ok(Next::Become(program)) => match program.exec(errors.as_mut()) {
            Ok(never) => match never {},
            Err(error) => error,
        },
        Err(error) => error,
    };
    let failure = Failure::from_error(&error);
    match errors {
        Some(mut pipe) => pipe.fail(&failure),
        None => log::write_error(&failure.message),
    }
    failure.fault.status()
}

/// The pipe for the error that this process has inherited, if it has one; once.
pub fn inherited_errors() -> Option<ErrorPipe> {
    descriptors::take(ERRORS).map(ErrorPipe::inherited)
}
// ANCHOR_END: exec

// ANCHOR: words
/// A word as a person would read it on a log line: quoted where a shell would need it.
pub fn shown(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    visible(&format!("'{}'", text.replace('\'', r"'\''")))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}
// ANCHOR_END: words

// ANCHOR: failure
fn failure(command: &Command, error: &io::Error) -> Failure {
    let program = command.get_program();
    let own_path = command.get_envs().find(|(name, _)| *name == "PATH");
    let own_path = own_path.and_then(|(_, path)| path.map(OsStr::to_owned));
    let not_found = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    let found = find(program, own_path.or_else(|| env::var_os("PATH")).as_deref());
    let (fault, reason) = match found {
        Some(file) if not_found => {
            let file = file.display();
            let reason = format!("{file} is there, but the interpreter that it names is not");
            (Fault::NotExecutable, reason)
        }
        // A folder of PATH that may not be searched is EACCES; a shell says "not found", too.
        None if not_found || !is_path(program) => (Fault::NotFound, "command not found".to_owned()),
        _ => (Fault::NotExecutable, error.to_string()),
    };
    Failure {
        fault,
        message: format!("exec {}: {reason}", shortened(&shown(program))),
    }
}

fn is_path(program: &OsStr) -> bool {
    program.as_encoded_bytes().contains(&b'/')
}

/// The executable file that execvp(3) finds for `program`: a name with a slash is a path,
/// any other is looked up in the folders of `path`.
pub fn find(program: &OsStr, path: Option<&OsStr>) -> Option<PathBuf> {
    let executable = |file: &Path| {
        let data = file.metadata();
        data.is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
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
        assert_eq!(shown(OsStr::new("A=b")), "'A=b'");
        assert_eq!(shown(OsStr::new("a\nb\x1b[2J")), r"'a\nb\u{1b}[2J'");
    }
}
