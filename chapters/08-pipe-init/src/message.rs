// ANCHOR: message
//! What does the parent send, and how are its bytes laid out?
//!
//! ```text
//! magic "init\x01" · length of the rest (8) · checksum of the rest (8) · the rest
//! ```
//!
//! The rest is a row of fields; a string of bytes is its length (4) and the bytes, a list
//! is the number of its items (4) and the items, something optional is a list of none or
//! one. Numbers are little-endian.

use std::{
    ffi::OsString,
    io::{Read, Write},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::PathBuf,
};

use anyhow::{Context, bail, ensure};
use ch05_user_idmap::User;
use log::info;

const MAGIC: &[u8; 5] = b"init\x01";

/// What init needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The command and its arguments; none for a shell.
    pub argv: Vec<OsString>,
    /// The command's whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// The hostname inside.
    pub hostname: OsString,
    /// The folder that is to be the root, as the parent sees it.
    pub rootfs: Option<PathBuf>,
    /// Whom the command runs as; `None` for root.
    pub user: Option<User>,
    /// Whether init stays as PID 1 and the command is its child.
    pub init_stays: bool,
}

impl Message {
    /// Writes the message.
    ///
    /// # Errors
    ///
    /// Whatever `to` fails with.
    pub fn write(&self, mut to: impl Write) -> anyhow::Result<()> {
        let mut rest = Vec::new();
        // ANCHOR: exercise-words
        put_list(&mut rest, &self.argv, |to, word| put_bytes(to, word.as_bytes()));
        put_list(&mut rest, &self.env, |to, (name, value)| {
            put_bytes(to, name.as_bytes());
            put_bytes(to, value.as_bytes());
        });
        // ANCHOR_END: exercise-words
        put_bytes(&mut rest, self.hostname.as_bytes());
        put_list(&mut rest, self.rootfs.as_slice(), |to, path| put_bytes(to, path.as_os_str().as_bytes()));
        put_list(&mut rest, self.user.as_slice(), |to, user| {
            put_number(to, user.uid);
            put_number(to, user.gid);
        });
        put_number(&mut rest, u32::from(self.init_stays));

        to.write_all(MAGIC)?;
        to.write_all(&(rest.len() as u64).to_le_bytes())?;
        to.write_all(&checksum(&rest).to_le_bytes())?;
        to.write_all(&rest)?;
        Ok(())
    }

    /// Reads a message up to the end of `from`.
    ///
    /// # Errors
    ///
    /// It is cut short, goes on after its end, or is not what was written.
    pub fn read(mut from: impl Read) -> anyhow::Result<Message> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes)?;
        let mut all = Bytes(&bytes);
        ensure!(all.take(MAGIC.len())? == MAGIC, "it is no message");
        let (length, sum) = (all.eight()?, all.eight()?);
        let mut rest = all;
        ensure!(rest.0.len() as u64 >= length, "it is cut short: {} bytes of {length}", rest.0.len());
        ensure!(rest.0.len() as u64 == length && checksum(rest.0) == sum, "it is garbled");

        let message = Message {
            argv: rest.list(Bytes::string)?,
            env: rest.list(|from| Ok((from.string()?, from.string()?)))?,
            hostname: rest.string()?,
            rootfs: rest.list(Bytes::string)?.pop().map(PathBuf::from),
            user: rest.list(|from| Ok(User { uid: from.number()?, gid: from.number()? }))?.pop(),
            init_stays: rest.number()? != 0,
        };
        ensure!(rest.0.is_empty(), "it has {} bytes too many", rest.0.len());
        info!("from run: {} words, {} variables", message.argv.len(), message.env.len());
        Ok(message)
    }
}

/// FNV-1a: any changed byte changes it. It is against accidents, not against an enemy.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn put_number(to: &mut Vec<u8>, number: u32) {
    to.extend(number.to_le_bytes());
}

fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    put_number(to, bytes.len() as u32); // execve(2) takes no argument nearly as long as 4 GiB
    to.extend(bytes);
}

fn put_list<T>(to: &mut Vec<u8>, items: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    put_number(to, items.len() as u32);
    items.iter().for_each(|item| put(to, item));
}

/// Bytes of which one takes from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> anyhow::Result<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(length).context("it is cut short")?;
        self.0 = left;
        Ok(taken)
    }

    fn number(&mut self) -> anyhow::Result<u32> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into()?))
    }

    fn eight(&mut self) -> anyhow::Result<u64> {
        Ok(u64::from_le_bytes(self.take(8)?.try_into()?))
    }

    fn string(&mut self) -> anyhow::Result<OsString> {
        let length = self.number()? as usize;
        let bytes = self.take(length)?;
        if bytes.contains(&0) {
            bail!("a string has a zero in it");
        }
        Ok(OsString::from_vec(bytes.to_owned()))
    }

    fn list<T>(&mut self, item: impl Fn(&mut Self) -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| item(self)).collect()
    }
}
// ANCHOR_END: message

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        Message {
            argv: vec!["sh".into(), "a b".into(), "".into(), "two\nlines".into(), bytes(b"\xff\xfe"), "'\"".into()],
            env: vec![("K".into(), "a=b c".into()), ("EMPTY".into(), "".into()), (bytes(b"\x80"), bytes(b"\x81"))],
            hostname: "box".into(),
            rootfs: Some("/a path/with spaces".into()),
            user: Some(User { uid: 1, gid: 4_294_967_294 }),
            init_stays: true,
        }
    }

    fn written(message: &Message) -> Vec<u8> {
        let mut bytes = Vec::new();
        message.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_message_arrives_byte_for_byte() {
        assert_eq!(Message::read(&written(&message())[..]).unwrap(), message());
        let least =
            Message { argv: vec![], env: vec![], rootfs: None, user: None, init_stays: false, hostname: "".into() };
        assert_eq!(Message::read(&written(&least)[..]).unwrap(), least);
    }

    #[test]
    fn a_message_cut_short_anywhere_is_an_error() {
        let bytes = written(&message());
        for length in 0..bytes.len() {
            assert!(Message::read(&bytes[..length]).is_err(), "{length} bytes of {} are no message", bytes.len());
        }
    }

    #[test]
    fn a_message_with_any_byte_changed_is_an_error() {
        let bytes = written(&message());
        for position in 0..bytes.len() {
            let mut garbled = bytes.clone();
            garbled[position] ^= 0x20;
            assert!(Message::read(&garbled[..]).is_err(), "byte {position} was changed");
        }
    }

    #[test]
    fn nothing_may_follow_a_message() {
        let mut bytes = written(&message());
        bytes.push(0);
        assert!(Message::read(&bytes[..]).is_err());
    }
}
