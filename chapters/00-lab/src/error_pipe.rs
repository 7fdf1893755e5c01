// ANCHOR: error-pipe
//! How does a parent learn whether its child has become the command?
//!
//! Through a pipe whose writing end the child has, marked close-on-exec. Before its execve(2) the
//! child writes that it is about to execute; if that fails, why. A successful execve closes the
//! pipe. So a parent can tell apart:
//!
//! | what it reads before the end | what happened |
//! |---|---|
//! | `executing` | the child became the command (or was killed in the last moment before) |
//! | `executing`, a failure | execve(2) failed, and why |
//! | a failure | something before it failed, and why |
//! | `ending` | the child had nothing to execute, and ended on its own |
//! | nothing | the child was killed, or crashed, before it could say anything |
//!
//! If the parent has gone, writing fails (EPIPE), and the child ends instead of executing.

use std::{
    io::{self, PipeReader, PipeWriter, Read, Write, pipe},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use anyhow::Context;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::{
    Failure,
    errors::{Fault, cut},
};

/// The most that the parent keeps of what the child says; no child of ours says as much.
const MOST: usize = 6000;
/// The words of the child.
const EXECUTING: &[u8] = b"x";
const ENDING: &[u8] = b"e";
const FAILED: u8 = b'f';

/// The child's end.
#[derive(Debug)]
pub struct ErrorPipe(PipeWriter);

/// The parent's end.
#[derive(Debug)]
pub struct StartReport {
    pipe: PipeReader,
    said: Vec<u8>,
}

/// What the child said about its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nothing.
    Silent,
    /// It executes what it was to become.
    Executes,
    /// It had nothing to execute.
    Ends,
    /// It failed.
    Failed(Failure),
}

/// Both ends, to be made before the clone.
///
/// # Errors
///
/// EMFILE: too many open files.
pub fn error_pipe() -> anyhow::Result<(StartReport, ErrorPipe)> {
    let (reader, writer) = pipe().context("make a pipe for the child's error")?;
    fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).context("fcntl O_NONBLOCK")?;
    Ok((
        StartReport {
            pipe: reader,
            said: Vec::new(),
        },
        ErrorPipe(writer),
    ))
}

impl ErrorPipe {
    /// The end that this process has inherited from the program it was before.
    pub(crate) fn inherited(descriptor: OwnedFd) -> ErrorPipe {
        ErrorPipe(descriptor.into())
    }

    /// Says that the execve(2) comes next.
    ///
    /// # Errors
    ///
    /// EPIPE: the parent has ended.
    pub fn executing(&mut self) -> io::Result<()> {
        self.0.write_all(EXECUTING)
    }

    /// Says that this process ends without one. A parent that has gone does not mind.
    pub fn ending(&mut self) {
        let _ = self.0.write_all(ENDING);
    }

    /// Says what failed. A parent that has gone does not mind.
    pub fn fail(&mut self, failure: &Failure) {
        let head = [FAILED, failure.fault.status()];
        let _ = self.0.write_all(&[&head, cut(&failure.message).as_bytes()].concat());
    }
}

impl AsFd for ErrorPipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl StartReport {
    /// Reads what the child has said by now; `false` when it cannot say any more.
    ///
    /// # Errors
    ///
    /// As read(2).
    pub fn listen(&mut self) -> io::Result<bool> {
        let mut piece = [0; 4096];
        loop {
            match self.pipe.read(&mut piece) {
                Ok(0) => return Ok(false),
                Ok(length) if self.said.len() <= MOST => {
                    self.said.extend_from_slice(&piece[..length]);
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// What that means so far.
    pub fn start(&self) -> Start {
        let rest = self.said.strip_prefix(EXECUTING).unwrap_or(&self.said);
        match rest {
            [FAILED, status, message @ ..] => Start::Failed(Failure {
                fault: Fault::from_status(*status).unwrap_or(Fault::Runtime),
                message: String::from_utf8_lossy(message).into_owned(),
            }),
            [] if self.said.is_empty() => Start::Silent,
            [] => Start::Executes,
            _ => Start::Ends,
        }
    }
}

impl AsFd for StartReport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}
// ANCHOR_END: error-pipe

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    /// What the parent finds after the child has done this.
    fn after(child: impl FnOnce(&mut ErrorPipe)) -> Start {
        let (mut report, mut pipe) = error_pipe().unwrap();
        child(&mut pipe);
        drop(pipe);
        assert!(!report.listen().unwrap(), "the child cannot say any more");
        report.start()
    }

    fn failure(message: String) -> Failure {
        Failure {
            fault: Fault::NotFound,
            message,
        }
    }

    #[test]
    fn each_way_to_start_is_told_apart() {
        assert_eq!(after(|_| {}), Start::Silent);
        assert_eq!(after(|pipe| pipe.executing().unwrap()), Start::Executes);
        assert_eq!(after(ErrorPipe::ending), Start::Ends);
        let bad = failure("exec nosuch: command not found".into());
        assert_eq!(after(|pipe| pipe.fail(&bad)), Start::Failed(bad.clone()));
        let late = |pipe: &mut ErrorPipe| {
            pipe.executing().unwrap();
            pipe.fail(&bad);
        };
        assert_eq!(after(late), Start::Failed(bad.clone()));
    }

    #[test]
    fn a_long_error_is_cut_and_blocks_nobody() {
        let Start::Failed(cut) = after(|pipe| pipe.fail(&failure("ü".repeat(100_000)))) else {
            panic!("it is a failure");
        };
        assert!(cut.message.ends_with("ü …") && cut.message.len() < 3010);
    }

    #[test]
    fn without_a_parent_there_is_nobody_to_tell() {
        let (report, mut pipe) = error_pipe().unwrap();
        drop(report);
        assert_eq!(pipe.executing().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
