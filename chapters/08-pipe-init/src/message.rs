// ANCHOR: message
//! What does the parent send?

use std::{
    ffi::OsString,
    io::{Read, Write},
    os::unix::ffi::OsStrExt,
    path::PathBuf,
};

use anyhow::ensure;
use ch05_user_idmap::User;
use lab::info;

use crate::wire::{Bytes, Magic, put_bytes, put_list, put_number, read_framed, write_framed};

const MAGIC: &Magic = b"init\x01";

/// What a command needs to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The command and its arguments; none for a shell.
    pub argv: Vec<OsString>,
    /// The command's whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// The user to become; `None` to stay the one that starts it.
    pub user: Option<User>,
}

/// What `run` sends to init.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What to become.
    pub process: Process,
    /// The hostname inside.
    pub hostname: OsString,
    /// The folder that becomes the root, as a path in the parent's root.
    pub rootfs: Option<PathBuf>,
    /// Whether init stays as PID 1 and the command is its child.
    pub init_stays: bool,
}

impl Process {
    /// Its size, for the log: `3 words, 2 variables`.
    pub fn shown(&self) -> String {
        let number = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            _ => format!("{count} {what}s"),
        };
        format!("{}, {}", number(self.argv.len(), "word"), number(self.env.len(), "variable"))
    }

    /// Writes it to the end of `rest`.
    pub fn encode(&self, rest: &mut Vec<u8>) {
        // ANCHOR: exercise-words
        put_list(rest, &self.argv, |to, word| put_bytes(to, word.as_bytes()));
        put_list(rest, &self.env, |to, (name, value)| {
            put_bytes(to, name.as_bytes());
            put_bytes(to, value.as_bytes());
        });
        // ANCHOR_END: exercise-words
        put_list(rest, self.user.as_slice(), |to, user| {
            put_number(to, user.uid);
            put_number(to, user.gid);
        });
    }

    /// Reads it from the front of `rest`.
    ///
    /// # Errors
    ///
    /// It is cut short, or a string has a zero in it.
    pub fn decode(rest: &mut Bytes) -> anyhow::Result<Process> {
        Ok(Process {
            argv: rest.read_list(Bytes::read_string)?,
            env: rest.read_list(|from| Ok((from.read_string()?, from.read_string()?)))?,
            user: rest.read_optional(|from| {
                Ok(User {
                    uid: id(from.read_u32()?)?,
                    gid: id(from.read_u32()?)?,
                })
            })?,
        })
    }
}

impl Message {
    /// Writes the message.
    ///
    /// # Errors
    ///
    /// Whatever `to` fails with.
    pub fn write(&self, to: impl Write) -> anyhow::Result<()> {
        let mut rest = Vec::new();
        self.process.encode(&mut rest);
        put_bytes(&mut rest, self.hostname.as_bytes());
        put_list(&mut rest, self.rootfs.as_slice(), |to, path| {
            put_bytes(to, path.as_os_str().as_bytes())
        });
        put_number(&mut rest, u32::from(self.init_stays));
        write_framed(to, MAGIC, &rest)
    }

    /// Reads a message up to the end of `from`.
    ///
    /// # Errors
    ///
    /// It is cut short, goes on after its end, or is not what was written.
    pub fn read(mut from: impl Read) -> anyhow::Result<Message> {
        let rest = read_framed(&mut from, MAGIC)?;
        ensure!(from.read(&mut [0])? == 0, "more bytes follow it");
        let mut rest = Bytes(&rest);
        let message = Message {
            process: Process::decode(&mut rest)?,
            hostname: rest.read_string()?,
            rootfs: rest.read_optional(Bytes::read_string)?.map(PathBuf::from),
            init_stays: rest.read_flag()?,
        };
        rest.end()?;
        info!("from run: {}", message.process.shown());
        Ok(message)
    }
}

/// To setresuid(2), u32::MAX means "as it was": the command would run as root.
fn id(number: u32) -> anyhow::Result<u32> {
    ensure!(number != u32::MAX, "{number} is no id");
    Ok(number)
}
// ANCHOR_END: message

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn message() -> Message {
        let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        Message {
            process: Process {
                argv: vec![
                    "sh".into(),
                    "a b".into(),
                    "".into(),
                    "two\nlines".into(),
                    bytes(b"\xff\xfe"),
                    "'\"".into(),
                ],
                env: vec![
                    ("K".into(), "a=b c".into()),
                    ("EMPTY".into(), "".into()),
                    (bytes(b"\x80"), bytes(b"\x81")),
                ],
                user: Some(User {
                    uid: 1,
                    gid: 4_294_967_294,
                }),
            },
            hostname: "box".into(),
            rootfs: Some("/a path/with spaces".into()),
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
        let process = Process {
            argv: vec![],
            env: vec![],
            user: None,
        };
        let least = Message {
            process,
            rootfs: None,
            init_stays: false,
            hostname: "".into(),
        };
        assert_eq!(Message::read(&written(&least)[..]).unwrap(), least);
    }

    #[test]
    fn a_message_cut_short_anywhere_is_an_error() {
        let bytes = written(&message());
        for length in 0..bytes.len() {
            assert!(
                Message::read(&bytes[..length]).is_err(),
                "{length} bytes of {} are no message",
                bytes.len()
            );
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
    fn what_no_parent_writes_is_an_error() {
        // No word, no variable; a list of users; no hostname, no root; whether init stays.
        let read = |users: &[u32], stays: u32| {
            let (mut rest, mut bytes) = (vec![0; 8], Vec::new());
            users.iter().for_each(|number| put_number(&mut rest, *number));
            [0, 0, stays].into_iter().for_each(|number| put_number(&mut rest, number));
            write_framed(&mut bytes, MAGIC, &rest).unwrap();
            Message::read(&bytes[..])
        };
        assert!(read(&[1, 7, 8], 1).is_ok());
        assert!(read(&[2, 7, 8, 7, 8], 1).is_err(), "two users");
        assert!(read(&[1, 7, 8], 2).is_err(), "neither yes nor no");
        assert!(
            read(&[1, u32::MAX, 8], 1).is_err(),
            "no user: setresuid(2) would change nothing"
        );
        assert!(read(&[1, 7, u32::MAX], 1).is_err(), "no group");
    }

    #[test]
    fn nothing_may_follow_a_message() {
        let mut bytes = written(&message());
        bytes.push(0);
        assert!(Message::read(&bytes[..]).is_err());
    }
}
