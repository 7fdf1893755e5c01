// ANCHOR: copies
//! Who copies what a container reads and writes, and until when?
//!
//! A thread of the parent for each stream, up to its end. With `exec`, other processes inside may
//! have the output open after the command's end: so a thread then copies what is left, and no more.

use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter, Read, Write, pipe},
    os::fd::AsFd,
    sync::mpsc::{self, Receiver, Sender},
    thread,
};

use anyhow::{Context, ensure};
use ch01_uts::{Child, wait_for_any};
use ch03_pid::Job;
use lab::Exit;

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
    failed: Receiver<String>,
}

impl Streams {
    /// The parent: copies while the container runs, and waits for its end and for all that it has
    /// written.
    ///
    /// # Errors
    ///
    /// As [`Job::wait`], and [`Copies::finish`].
    pub fn wait(self, job: &Job, mut child: Child) -> anyhow::Result<Exit> {
        let copies = self.start()?;
        let interrupted = job.watch(&mut child)?;
        let copied = copies.finish(job);
        let exit = job.end(child, interrupted)?;
        copied.map(|()| exit)
    }

    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// EMFILE: too many open files; EAGAIN: too many threads.
    pub fn start(self) -> anyhow::Result<Copies> {
        drop(self.instead); // or the end of the output would never come
        let (ended, end) = pipe().context("make a pipe for the threads")?;
        let (all_done, done) = pipe().context("make a pipe for the threads")?;
        let (fails, failed) = mpsc::channel();
        for stream in self.copies {
            let ended = ended.try_clone().context("dup a thread's pipe")?;
            let done = done.try_clone().context("dup a thread's pipe")?;
            let fails = fails.clone();
            let copy = move || stream.copy(&ended, &fails, done);
            thread::Builder::new().spawn(copy).context("start a thread")?;
        }
        Ok(Copies {
            end,
            all_done,
            failed,
        })
    }
}

impl Copies {
    /// After the container's end: waits until all that it has written is copied.
    ///
    /// # Errors
    ///
    /// As poll(2); some of it could not be read or written.
    pub fn finish(self, job: &Job) -> anyhow::Result<()> {
        drop(self.end);
        // The reader of the output may have stopped (Ctrl-S): then a signal ends this wait.
        wait_for_any(&[self.all_done.as_fd(), job.as_fd()])?;
        let failed: Vec<String> = self.failed.try_iter().collect();
        ensure!(failed.is_empty(), "copy {}", failed.join("; copy "));
        Ok(())
    }
}

impl Copy {
    /// Copies up to the end, or, after the container's end, what is still there. Then it closes
    /// `done`, except for the input, for which the parent does not wait.
    fn copy(self, ended: &PipeReader, fails: &Sender<String>, done: PipeWriter) {
        let done = Some(done).filter(|_| self.name != NAMES[0]);
        match self.copy_until(ended) {
            // The container may close its input, and the reader of its output may have enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => {
                // A parent that waits no more has another error to return.
                let _ = fails.send(format!("{}: {error}", self.name.replace('-', " ")));
            }
            Ok(()) => {}
        }
        drop(done);
    }

    fn copy_until(&self, ended: &PipeReader) -> io::Result<()> {
        let (mut from, mut to, mut piece) = (&self.from, &self.to, vec![0; 1 << 16]);
        let mut left = LEFT;
        while left > 0 {
            let ready = wait_for_any(&[from.as_fd(), ended.as_fd()]).map_err(io::Error::other)?;
            if !ready[0] {
                break;
            }
            let length = match from.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
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
