// ANCHOR: bootstrap
//! What does the parent tell the one that goes in?
//!
//! Typed data, as in runc: a row of attributes, each with its type (4), its length (4) and
//! its value. The order is of no importance, and an attribute that is not needed is left out.
//! Lengths and lists are those of chapter 8's [`wire`].

use std::{
    io::{Read, Write},
    os::unix::ffi::OsStrExt,
    path::PathBuf,
};

use anyhow::{Context, bail};
use ch05_user_idmap::MapLine;
use ch08_pipe_init::{
    Process,
    wire::{self, Bytes, Magic, put_bytes, put_list, put_number},
};
use nix::{sched::CloneFlags, unistd::Pid};

use crate::Started;

const MAGIC: &Magic = b"boot\x01";

/// The types of attributes.
const TARGET: u32 = 1;
const NAMESPACES: u32 = 2;
const CLONE_FLAGS: u32 = 3;
const UID_MAP: u32 = 4;
const GID_MAP: u32 = 5;
const PLACE: u32 = 6;
const ONE_BY_ONE: u32 = 7;
const TERMINAL: u32 = 8;
const INTERACTIVE: u32 = 9;
const WORKDIR: u32 = 10;
const PROCESS: u32 = 11;

/// What CHILD and INIT need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Whose namespaces are joined.
    pub target: Started,
    /// Which, as flags and files, in this order.
    pub namespaces: Vec<(CloneFlags, PathBuf)>,
    /// Which are to be new.
    pub clone_flags: CloneFlags,
    /// The map of a new user namespace; the parent writes it.
    pub uid_map: Vec<MapLine>,
    /// Likewise.
    pub gid_map: Vec<MapLine>,
    /// Whether the command is to have the target's root and working directory.
    pub place: bool,
    /// Whether to join through the files, and not all at once through the pidfd.
    pub one_by_one: bool,
    /// Which terminal the command gets.
    pub terminal: Lending,
    /// Whether it gets standard input.
    pub interactive: bool,
    /// The folder in which the command starts, as it is inside.
    pub workdir: Option<PathBuf>,
    /// What to become.
    pub process: Process,
}

/// What becomes of the parent's terminal; the parent has looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lending {
    /// The command leads a session of its own, without one.
    None,
    /// It is the parent's and the command's, as it is.
    Shared,
    /// It is the command's while that runs.
    Lent,
}

impl Lending {
    fn from_number(number: u32) -> anyhow::Result<Lending> {
        let all = [Lending::None, Lending::Shared, Lending::Lent];
        all.into_iter()
            .find(|one| *one as u32 == number)
            .with_context(|| format!("no lending is {number}"))
    }
}

impl Bootstrap {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// Whatever `to` fails with.
    pub fn write(&self, to: impl Write) -> anyhow::Result<()> {
        let mut rest = Vec::new();
        let mut attribute = |kind, put: &dyn Fn(&mut Vec<u8>)| {
            let mut value = Vec::new();
            put(&mut value);
            put_number(&mut rest, kind);
            put_bytes(&mut rest, &value);
        };
        attribute(TARGET, &|to| {
            put_number(to, self.target.pid.as_raw() as u32);
            to.extend(self.target.start.to_le_bytes());
        });
        attribute(NAMESPACES, &|to| {
            put_list(to, &self.namespaces, |to, (flag, file)| {
                put_number(to, flag.bits() as u32);
                put_bytes(to, file.as_os_str().as_bytes());
            });
        });
        attribute(TERMINAL, &|to| put_number(to, self.terminal as u32));
        attribute(CLONE_FLAGS, &|to| put_number(to, self.clone_flags.bits() as u32));
        attribute(UID_MAP, &|to| put_list(to, &self.uid_map, put_line));
        attribute(GID_MAP, &|to| put_list(to, &self.gid_map, put_line));
        let asked =
            [(PLACE, self.place), (ONE_BY_ONE, self.one_by_one), (INTERACTIVE, self.interactive)];
        for (kind, asked) in asked {
            if asked {
                attribute(kind, &|_| {}); // that it is there says it
            }
        }
        if let Some(folder) = &self.workdir {
            attribute(WORKDIR, &|to| put_bytes(to, folder.as_os_str().as_bytes()));
        }
        attribute(PROCESS, &|to| self.process.put(to));
        wire::write_framed(to, MAGIC, &rest)
    }

    /// Reads it, and not a byte more: the same socket carries what comes after.
    ///
    /// # Errors
    ///
    /// It is cut short, garbled, of a type that nobody knows, or something is missing.
    pub fn read(from: impl Read) -> anyhow::Result<Bootstrap> {
        let rest = wire::read_framed(from, MAGIC)?;
        let mut rest = Bytes(&rest);
        let (mut target, mut process) = (None, None);
        let mut read = Bootstrap {
            target: Started {
                pid: Pid::from_raw(0),
                start: 0,
            },
            namespaces: Vec::new(),
            clone_flags: CloneFlags::empty(),
            uid_map: Vec::new(),
            gid_map: Vec::new(),
            place: false,
            one_by_one: false,
            terminal: Lending::None,
            interactive: false,
            workdir: None,
            process: Process {
                argv: Vec::new(),
                env: Vec::new(),
                user: None,
            },
        };
        while !rest.0.is_empty() {
            let kind = rest.number()?;
            let mut value = Bytes(rest.bytes()?);
            match kind {
                TARGET => {
                    target = Some(Started {
                        pid: Pid::from_raw(value.number()? as i32),
                        start: value.eight()?,
                    })
                }
                NAMESPACES => {
                    read.namespaces =
                        value.list(|from| Ok((flags(from.number()?), from.string()?.into())))?
                }
                CLONE_FLAGS => read.clone_flags = flags(value.number()?),
                UID_MAP => read.uid_map = value.list(line)?,
                GID_MAP => read.gid_map = value.list(line)?,
                PLACE => read.place = true,
                ONE_BY_ONE => read.one_by_one = true,
                TERMINAL => read.terminal = Lending::from_number(value.number()?)?,
                INTERACTIVE => read.interactive = true,
                WORKDIR => read.workdir = Some(value.string()?.into()),
                PROCESS => process = Some(Process::take(&mut value)?),
                other => bail!("nobody knows an attribute of type {other}"),
            }
            value.end().with_context(|| format!("the attribute of type {kind}"))?;
        }
        read.target = target.context("it names no target")?;
        read.process = process.context("it has no command")?;
        Ok(read)
    }
}

fn flags(bits: u32) -> CloneFlags {
    CloneFlags::from_bits_retain(bits as i32)
}

fn put_line(to: &mut Vec<u8>, line: &MapLine) {
    [line.inside, line.outside, line.size]
        .into_iter()
        .for_each(|number| put_number(to, number));
}

fn line(from: &mut Bytes) -> anyhow::Result<MapLine> {
    Ok(MapLine {
        inside: from.number()?,
        outside: from.number()?,
        size: from.number()?,
    })
}
// ANCHOR_END: bootstrap

#[cfg(test)]
mod tests {
    use ch05_user_idmap::User;

    use super::*;

    fn bootstrap() -> Bootstrap {
        Bootstrap {
            target: Started {
                pid: Pid::from_raw(4242),
                start: 1 << 40,
            },
            namespaces: vec![(CloneFlags::CLONE_NEWUSER, "/proc/4242/ns/user".into())],
            clone_flags: CloneFlags::CLONE_NEWNS,
            uid_map: vec![MapLine {
                inside: 0,
                outside: 1000,
                size: 1,
            }],
            gid_map: vec![],
            place: true,
            one_by_one: false,
            terminal: Lending::Shared,
            interactive: false,
            workdir: Some("/a folder".into()),
            process: Process {
                argv: vec!["sh".into(), "".into()],
                env: vec![("A".into(), "b=c".into())],
                user: Some(User { uid: 0, gid: 7 }),
            },
        }
    }

    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        bootstrap().write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn it_arrives_as_it_was_and_leaves_what_follows() {
        let mut bytes = written();
        bytes.push(b'!');
        let mut from = &bytes[..];
        assert_eq!(Bootstrap::read(&mut from).unwrap(), bootstrap());
        assert_eq!(from, b"!");
    }

    #[test]
    fn cut_short_or_changed_anywhere_it_is_an_error() {
        let bytes = written();
        for position in 0..bytes.len() {
            assert!(
                Bootstrap::read(&bytes[..position]).is_err(),
                "{position} bytes of {}",
                bytes.len()
            );
            let mut garbled = bytes.clone();
            garbled[position] ^= 0x20;
            assert!(Bootstrap::read(&garbled[..]).is_err(), "byte {position} was changed");
        }
    }

    #[test]
    fn an_attribute_that_nobody_knows_is_an_error() {
        let mut rest = Vec::new();
        put_number(&mut rest, 99);
        put_bytes(&mut rest, b"");
        let mut bytes = Vec::new();
        wire::write_framed(&mut bytes, MAGIC, &rest).unwrap();
        let error = Bootstrap::read(&bytes[..]).unwrap_err();
        assert!(error.to_string().contains("type 99"), "{error}");
    }
}
