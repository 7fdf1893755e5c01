// ANCHOR: streams
//! What does a container get as standard input, output and error?
//!
//! A descriptor can lead further than you opened it for. A terminal that you write to can often be
//! read as well. Through `/proc/self/fd/1` the kernel opens a file once more, with other rights
//! (proc_pid_fd(5)). From a folder, `..` leads on. So a container gets pipes: a terminal (without
//! `-t`), a file or a device stays outside, and threads of the parent copy.

use std::{
    fs::File,
    io::pipe,
    os::fd::{BorrowedFd, OwnedFd},
};

use anyhow::Context;
use ch03_pid::Terminal;
use lab::{Failure, Program, descriptors::take};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, isatty};
use rustix::{
    fs::{FileType, Stat, fstat},
    stdio,
};

use crate::copies::Copy;

/// The names of descriptors 0 to 2, also where they are handed over.
pub(crate) const NAMES: [&str; 3] = ["standard-input", "standard-output", "standard-error"];

/// The device number of /dev/null, which a container may have.
const NULL: u64 = libc::makedev(1, 3);

/// What the container's process gets in place of the caller's streams, and what threads copy.
pub struct Streams {
    terminal: Terminal,
    /// By number: `None` where it gets the caller's stream.
    pub(crate) instead: [Option<OwnedFd>; 3],
    pub(crate) copies: Vec<Copy>,
    /// What goes with them, by name.
    others: Vec<(&'static str, OwnedFd)>,
}

impl Streams {
    /// Looks at the three streams. With `tty`, the container gets a terminal. Without
    /// `interactive`, its input is empty.
    ///
    /// # Errors
    ///
    /// A stream is a folder. `tty`, and standard input is not a terminal.
    pub fn new(tty: bool, interactive: bool) -> anyhow::Result<Streams> {
        if tty && !isatty(stream(0)).unwrap_or(false) {
            return Err(Failure::usage("-t: standard input is no terminal: leave -t out"));
        }
        let mut streams = Streams {
            terminal: if tty {
                Terminal::find()?
            } else {
                Terminal::Cut
            },
            instead: [None, None, None],
            copies: Vec::new(),
            others: Vec::new(),
        };
        if !interactive {
            let null = File::open("/dev/null").context("open /dev/null")?;
            streams.instead[0] = Some(null.into());
        } else if must_stay_outside(0, tty)? {
            streams.copy_input(own(0)?)?;
        }
        let are_one = identity(1)? == identity(2)?;
        if must_stay_outside(1, tty)? {
            streams.copy_output(1, own(1)?)?;
        }
        match &streams.instead[1] {
            // In one pipe, what was written to both keeps its order.
            Some(pipe) if are_one => {
                streams.instead[2] = Some(pipe.try_clone().context("dup the output's pipe")?);
            }
            _ if must_stay_outside(2, tty)? => streams.copy_output(2, own(2)?)?,
            _ => {}
        }
        Ok(streams)
    }

    /// What the container's process gets of the terminal.
    pub fn terminal(&self) -> Terminal {
        self.terminal.clone()
    }

    /// What the container gets, by number.
    ///
    /// # Errors
    ///
    /// As dup(2).
    pub fn given(&self) -> anyhow::Result<[File; 3]> {
        let one = |number: usize| match &self.instead[number] {
            Some(stream) => stream.try_clone().map(File::from).context("dup a stream"),
            None => own(number),
        };
        Ok([one(0)?, one(1)?, one(2)?])
    }

    fn copy_input(&mut self, from: File) -> anyhow::Result<()> {
        let (reader, writer) = pipe().context("make a pipe for the input")?;
        self.instead[0] = Some(reader.into());
        self.copy(0, from, File::from(OwnedFd::from(writer)));
        Ok(())
    }

    fn copy_output(&mut self, number: usize, to: File) -> anyhow::Result<()> {
        let (reader, writer) = pipe().context("make a pipe for the output")?;
        self.instead[number] = Some(writer.into());
        self.copy(number, File::from(OwnedFd::from(reader)), to);
        Ok(())
    }

    /// Lets a thread copy this while the container runs, as the stream of this number.
    pub fn copy(&mut self, number: usize, from: File, to: File) {
        let name = NAMES[number];
        self.copies.push(Copy { name, from, to });
    }

    /// Cuts the container off from the caller's terminal: a stream that would be the terminal is
    /// what `other` returns for its number.
    ///
    /// # Errors
    ///
    /// As `other`.
    pub fn replace_terminal(
        &mut self,
        other: impl Fn(usize) -> anyhow::Result<OwnedFd>,
    ) -> anyhow::Result<()> {
        self.terminal = Terminal::Cut;
        for (number, instead) in self.instead.iter_mut().enumerate() {
            if instead.is_none() && isatty(stream(number)).unwrap_or(false) {
                *instead = Some(other(number)?);
            }
        }
        Ok(())
    }

    /// Lets the program of ours, inside, inherit this as well.
    pub fn also(&mut self, name: &'static str, other: OwnedFd) {
        self.others.push((name, other));
    }

    /// Lets a program of ours, inside, inherit the command's streams. Until [`take_streams`] its
    /// own log goes where the parent's goes.
    ///
    /// # Errors
    ///
    /// As dup(2).
    pub fn hand_over(&self, mut program: Program) -> anyhow::Result<Program> {
        for (name, stream) in NAMES.into_iter().zip(&self.instead) {
            if let Some(stream) = stream {
                let copy = stream.try_clone().with_context(|| format!("dup {name}"))?;
                program = program.with(name, copy);
            }
        }
        for (name, other) in &self.others {
            let copy = other.try_clone().with_context(|| format!("dup {name}"))?;
            program = program.with(name, copy);
        }
        Ok(program)
    }
}

/// The process that becomes the command, or stays: takes what was handed over in place of its
/// three streams, once.
///
/// # Errors
///
/// As dup2(2).
pub fn take_streams() -> anyhow::Result<()> {
    let [input, output, error] = NAMES.map(take);
    input.map_or(Ok(()), dup2_stdin).context("dup2 to standard input")?;
    output.map_or(Ok(()), dup2_stdout).context("dup2 to standard output")?;
    error.map_or(Ok(()), dup2_stderr).context("dup2 to standard error")
}
// ANCHOR_END: streams

// ANCHOR: outside
/// One of this process's own streams.
fn stream(number: usize) -> BorrowedFd<'static> {
    match number {
        0 => stdio::stdin(),
        1 => stdio::stdout(),
        _ => stdio::stderr(),
    }
}

/// A second descriptor of it.
fn own(number: usize) -> anyhow::Result<File> {
    let copy = stream(number).try_clone_to_owned();
    Ok(File::from(copy.with_context(|| format!("dup {}", shown(number)))?))
}

fn shown(number: usize) -> String {
    NAMES[number].replace('-', " ")
}

fn look_at(number: usize) -> anyhow::Result<Stat> {
    fstat(stream(number)).with_context(|| format!("stat {}", shown(number)))
}

/// Which file a stream is: two streams may be one file.
fn identity(number: usize) -> anyhow::Result<(u64, u64)> {
    look_at(number).map(|stat| (stat.st_dev, stat.st_ino))
}

/// Whether this stream must stay outside of the container.
fn must_stay_outside(number: usize, tty: bool) -> anyhow::Result<bool> {
    let stat = look_at(number)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    if kind == FileType::Directory {
        return Err(Failure::usage(format!(
            "{} is a folder, and a way to the host's files: redirect it, for example to /dev/null",
            shown(number)
        )));
    }
    let leads_nowhere = kind == FileType::CharacterDevice && stat.st_rdev == NULL;
    let is_given = tty && isatty(stream(number)).unwrap_or(false);
    let is_pipe = matches!(kind, FileType::Fifo | FileType::Socket);
    Ok(!(is_pipe || leads_nowhere || is_given))
}
// ANCHOR_END: outside
