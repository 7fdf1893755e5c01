// ANCHOR: channel
//! How does one process wait until the other has done something?
//!
//! It reads from a channel, and sleeps until the other process says a word. clone(2) gives both
//! ends to both processes. Each keeps its own end and closes the other: a read returns without a
//! word when the last copy of the other end is closed, and the reader may have such a copy itself.

use std::{
    cell::Cell,
    io::{ErrorKind, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use anyhow::{Context, bail};
use lab::descriptors;

/// Both ends, before the clone (socketpair(2)).
pub struct Channel {
    parents: Cell<Option<UnixStream>>,
    childs: Cell<Option<UnixStream>>,
}

/// One end.
#[derive(Debug)]
pub struct End(UnixStream);

impl Channel {
    /// A new one.
    ///
    /// # Errors
    ///
    /// EMFILE: too many open files.
    pub fn new() -> anyhow::Result<Channel> {
        let (parents, childs) = UnixStream::pair().context("make a socket pair")?;
        Ok(Channel {
            parents: Cell::new(Some(parents)),
            childs: Cell::new(Some(childs)),
        })
    }

    /// The parent, after the clone: its end. The child's is closed here.
    ///
    /// # Errors
    ///
    /// This process has taken an end already.
    pub fn in_parent(&self) -> anyhow::Result<End> {
        // ANCHOR: exercise-parents
        drop(self.childs.take());
        self.parents
            .take()
            .map(End)
            .context("a process takes one end of a channel, once")
        // ANCHOR_END: exercise-parents
    }

    /// The child, after the clone: its end. The parent's is closed here.
    ///
    /// # Errors
    ///
    /// This process has taken an end already.
    pub fn in_child(&self) -> anyhow::Result<End> {
        drop(self.parents.take());
        self.childs
            .take()
            .map(End)
            .context("a process takes one end of a channel, once")
    }
}

impl End {
    /// Says the word: the other process can go on.
    ///
    /// # Errors
    ///
    /// EPIPE: the other process has ended.
    pub fn say(&self) -> anyhow::Result<()> {
        (&self.0).write_all(b"!").context("say a word to the other process")
    }

    /// Sleeps until the other process says the word.
    ///
    /// # Errors
    ///
    /// The other process has ended without it.
    pub fn wait(&self) -> anyhow::Result<()> {
        // ANCHOR: exercise-word
        match (&self.0).read(&mut [0]) {
            Ok(1) => Ok(()),
            // The other process ended with something unread: a reset.
            Ok(_) => bail!("the other process has ended"),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                bail!("the other process has ended")
            }
            Err(error) => Err(error).context("wait for a word from the other process"),
        }
        // ANCHOR_END: exercise-word
    }

    /// The end that this process has inherited as `name`, if it has one; once.
    pub fn inherited(name: &str) -> Option<End> {
        descriptors::take(name).map(|end| End(end.into()))
    }
}

/// To be handed over to a program ([`lab::Program::with`]).
impl From<End> for OwnedFd {
    fn from(end: End) -> OwnedFd {
        end.0.into()
    }
}

impl AsFd for End {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Bytes, for a longer message.
impl Read for &End {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        (&self.0).read(to)
    }
}

impl Write for &End {
    fn write(&mut self, from: &[u8]) -> std::io::Result<usize> {
        (&self.0).write(from)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
// ANCHOR_END: channel

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_arrives_and_an_end_is_seen() {
        let channel = Channel::new().unwrap();
        let (parents, childs) = (
            channel.parents.take().map(End).unwrap(),
            channel.childs.take().map(End).unwrap(),
        );
        parents.say().unwrap();
        childs.wait().unwrap();
        parents.say().unwrap(); // not read: a reset
        drop(childs);
        assert!(parents.wait().unwrap_err().to_string().contains("has ended"));
        assert!(parents.say().is_err());
    }

    #[test]
    fn an_end_is_taken_once() {
        let channel = Channel::new().unwrap();
        let _parents = channel.in_parent().unwrap();
        assert!(channel.in_parent().is_err() && channel.in_child().is_err());
        assert!(End::inherited("nobody").is_none());
    }
}
