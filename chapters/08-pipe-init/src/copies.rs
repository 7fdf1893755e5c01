// ANCHOR: copies
//! Who copies what a container reads and writes, and until when?
//!
//! A thread of the parent for each stream, up to its end. With `exec`, other processes inside may
//! have the output open after the command's end: so a thread then copies what is left, and no more.

use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter, Read, Write, pipe},
    os::fd::AsFd,
    thread,
};

use anyhow::Context;
use ch01_uts::{Child, wait_for_any};
use ch03_pid::Job;
use lab::{Exit, warn};

use crate::streams::{NAMES, Streams};

/// More than a pipe or a terminal holds (pipe(7)): what is left when a command has ended.
const LEFT: usize = 1 << 20;

/// What a thread copies, up to the end of `from`.
pub(crate) struct Copy {
    pub(crate) name: &'static str,
    pub(crate) from: File,
    pub(crate) to: File,
}

/// Threads that copy.
#[must_use]
pub struct Copies {
    end: PipeWriter,
    all_done: PipeReader,
}

impl Streams {
    /// The parent: copies while the container runs, and waits for its end and for all that it has
    /// written.
    ///
    /// # Errors
    ///
    /// As [`Job::wait`].
    pub fn wait(self, job: &Job, mut child: Child) -> anyhow::Result<Exit> {
        let copies = self.start()?;
        let interrupted = job.watch(&mut child)?;
        copies.finish(job)?;
        job.end(child, interrupted)
    }

    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// EMFILE: too many open files.
    pub fn start(self) -> anyhow::Result<Copies> {
        drop(self.instead); // or the end of the output would never come
        let (ended, end) = pipe().context("make a pipe for the threads")?;
        let (all_done, done) = pipe().context("make a pipe for the threads")?;
        for stream in self.copies {
            let ended = ended.try_clone().context("dup a thread's pipe")?;
            let done = done.try_clone().context("dup a thread's pipe")?;
            thread::spawn(move || stream.copy(&ended, done));
        }
        Ok(Copies { end, all_done })
    }
}

impl Copies {
    /// After the container's end: waits until all that it has written is copied.
    ///
    /// # Errors
    ///
    /// As poll(2).
    pub fn finish(self, job: &Job) -> anyhow::Result<()> {
        drop(self.end);
        // The reader of the output may have stopped (Ctrl-S): then a signal ends this wait.
        wait_for_any(&[self.all_done.as_fd(), job.as_fd()]).map(drop)
    }
}

impl Copy {
    /// Copies up to the end, or, after the container's end, what is still there. Then it closes
    /// `done`, except for the input, for which the parent does not wait.
    fn copy(self, ended: &PipeReader, done: PipeWriter) {
        let done = Some(done).filter(|_| self.name != NAMES[0]);
        match self.copy_until(ended) {
            // The container may close its input.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && done.is_none() => {}
            Err(error) => warn!("{}: {error}", self.name.replace('-', " ")),
            Ok(()) => {}
        }
    }

    fn copy_until(&self, ended: &PipeReader) -> io::Result<()> {
        let (mut from, mut to, mut piece) = (&self.from, &self.to, vec![0; 1 << 16]);
        let mut left = LEFT;
        while left > 0 {
            let ready = wait_for_any(&[from.as_fd(), ended.as_fd()]).map_err(io::Error::other)?;
            let length = if ready[0] { from.read(&mut piece)? } else { 0 };
            if length == 0 {
                break;
            }
            if ready[1] {
                // Not without end: with `exec`, others may write on.
                left = left.saturating_sub(length);
            }
            to.write_all(&piece[..length])?;
        }
        Ok(())
    }
}
// ANCHOR_END: copies
