// ANCHOR: bootstrap
//! What does PARENT send to the process that goes in?
//!
//! Typed data, as in runc: attributes, each with its type (4 bytes), its length (4 bytes) and its
//! value. Their order does not matter, and an attribute that is not needed is left out. Lengths and
//! lists have the form of chapter 8's [`wire`].

use std::{
    io::{Read, Write},
    os::unix::ffi::OsStrExt,
    path::PathBuf,
};

use anyhow::{Context, bail, ensure};
use ch08_pipe_init::{
    Process,
    wire::{self, Bytes, Magic, put_bytes, put_list, put_number},
};
use ch10_names::Identity;
use lab::{Kind, Namespaces};
use nix::unistd::Pid;

const MAGIC: &Magic = b"boot\x02";

/// The types of attributes.
const TARGET: u32 = 1;
const JOINED: u32 = 2;
const NEW: u32 = 3;
const AT_THE_TARGET: u32 = 4;
const ONE_BY_ONE: u32 = 5;
const TERMINAL: u32 = 6;
const WORKDIR: u32 = 7;
const PROCESS: u32 = 8;

/// What CHILD and INIT need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// The process whose namespaces are joined.
    pub target: Identity,
    /// Which of them, and through which files, in this order.
    pub joined: Vec<(Kind, PathBuf)>,
    /// Which namespaces are new.
    pub new: Namespaces,
    /// Whether the command has the target's root and working directory.
    pub at_the_target: bool,
    /// Whether to join through the files, and not all at once through the pidfd.
    pub one_by_one: bool,
    /// What the command gets of the terminal.
    pub terminal: Lending,
    /// The folder in which the command starts, as it is called inside.
    pub workdir: Option<PathBuf>,
    /// What to become.
    pub process: Process,
}

/// What the command gets of the parent's terminal ([`ch03_pid::Terminal`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lending {
    /// Nothing.
    Cut,
    /// Its output.
    Background,
    /// The foreground.
    Lent,
}

impl Lending {
    fn from_number(number: u32) -> anyhow::Result<Lending> {
        let all = [Lending::Cut, Lending::Background, Lending::Lent];
        all.into_iter()
            .find(|one| *one as u32 == number)
            .with_context(|| format!("{number} is no way to lend a terminal"))
    }
}

impl Bootstrap {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// As writing to `to`.
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
            to.extend(self.target.inode.to_le_bytes());
        });
        attribute(JOINED, &|to| {
            put_list(to, &self.joined, |to, (kind, file)| {
                put_number(to, *kind as u32);
                put_bytes(to, file.as_os_str().as_bytes());
            });
        });
        attribute(NEW, &|to| put_number(to, self.new.bits() as u32));
        attribute(TERMINAL, &|to| put_number(to, self.terminal as u32));
        for (kind, is_so) in [(AT_THE_TARGET, self.at_the_target), (ONE_BY_ONE, self.one_by_one)] {
            if is_so {
                attribute(kind, &|_| {}); // it is there, or not
            }
        }
        if let Some(folder) = &self.workdir {
            attribute(WORKDIR, &|to| put_bytes(to, folder.as_os_str().as_bytes()));
        }
        attribute(PROCESS, &|to| self.process.encode(to));
        wire::write_framed(to, MAGIC, &rest)
    }

    /// Reads it, and not a byte more: the same channel carries the word at the gate.
    ///
    /// # Errors
    ///
    /// It is cut short or garbled, or an attribute is unknown or missing.
    pub fn read(from: impl Read) -> anyhow::Result<Bootstrap> {
        let rest = wire::read_framed(from, MAGIC)?;
        let mut rest = Bytes(&rest);
        let (mut target, mut joined, mut new, mut terminal) = (None, None, None, None);
        let (mut at_the_target, mut one_by_one) = (false, false);
        let (mut workdir, mut process) = (None, None);
        let mut seen = Vec::new();
        while !rest.0.is_empty() {
            let kind = rest.read_u32()?;
            ensure!(!seen.contains(&kind), "the attribute of type {kind} is there twice");
            seen.push(kind);
            let mut value = Bytes(rest.read_bytes()?);
            match kind {
                TARGET => {
                    target = Some(Identity {
                        pid: pid_from(value.read_u32()?)?,
                        start: value.read_u64()?,
                        inode: value.read_u64()?,
                    });
                }
                JOINED => {
                    joined = Some(value.read_list(|from| {
                        Ok((kind_from(from.read_u32()?)?, from.read_string()?.into()))
                    })?);
                }
                NEW => new = Some(namespaces_from(value.read_u32()?)?),
                AT_THE_TARGET => at_the_target = true,
                ONE_BY_ONE => one_by_one = true,
                TERMINAL => terminal = Some(Lending::from_number(value.read_u32()?)?),
                WORKDIR => workdir = Some(value.read_string()?.into()),
                PROCESS => process = Some(Process::decode(&mut value)?),
                other => bail!("there is no attribute of type {other}"),
            }
            value.end().with_context(|| format!("the attribute of type {kind}"))?;
        }
        Ok(Bootstrap {
            target: target.context("it has no target")?,
            joined: joined.context("it has no list of namespaces to join")?,
            new: new.context("it has no list of new namespaces")?,
            at_the_target,
            one_by_one,
            terminal: terminal.context("it does not say what becomes of the terminal")?,
            workdir,
            process: process.context("it has no command")?,
        })
    }
}

fn pid_from(number: u32) -> anyhow::Result<Pid> {
    let pid = i32::try_from(number).ok().filter(|pid| *pid > 0);
    pid.map(Pid::from_raw).with_context(|| format!("{number} is no pid"))
}

fn kind_from(flag: u32) -> anyhow::Result<Kind> {
    Kind::ALL
        .into_iter()
        .find(|kind| *kind as u32 == flag)
        .with_context(|| format!("{flag:#x} is no flag of a namespace"))
}

fn namespaces_from(flags: u32) -> anyhow::Result<Namespaces> {
    let kinds = Kind::ALL.into_iter().filter(|kind| flags & *kind as u32 != 0);
    let namespaces: Namespaces = kinds.collect();
    ensure!(namespaces.bits() as u32 == flags, "{flags:#x} has a flag of no namespace");
    ensure!(!namespaces.contains(Kind::Time), "clone(2) makes no time namespace");
    Ok(namespaces)
}
// ANCHOR_END: bootstrap

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use ch05_user_idmap::User;

    use super::*;

    fn bootstrap() -> Bootstrap {
        Bootstrap {
            target: Identity {
                pid: Pid::from_raw(4242),
                start: 1 << 40,
                inode: 1 << 41,
            },
            joined: vec![(Kind::User, "/proc/4242/ns/user".into())],
            new: Namespaces::of(Kind::Mount) | Namespaces::of(Kind::Uts),
            at_the_target: true,
            one_by_one: false,
            terminal: Lending::Background,
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

    fn with_attribute(kind: u32, value: &[u8]) -> anyhow::Error {
        let (mut rest, mut bytes) = (Vec::new(), Vec::new());
        put_number(&mut rest, kind);
        put_bytes(&mut rest, value);
        wire::write_framed(&mut bytes, MAGIC, &rest).unwrap();
        Bootstrap::read(&bytes[..]).unwrap_err()
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
            let cut = Bootstrap::read(&bytes[..position]);
            assert!(cut.is_err(), "{position} bytes of {}", bytes.len());
            let mut garbled = bytes.clone();
            garbled[position] ^= 0x20;
            assert!(Bootstrap::read(&garbled[..]).is_err(), "byte {position} was changed");
        }
    }

    #[test]
    fn an_attribute_that_is_there_twice_is_an_error() {
        let bytes = written();
        let rest = wire::read_framed(&bytes[..], MAGIC).unwrap();
        let mut twice = Vec::new();
        wire::write_framed(&mut twice, MAGIC, &[&rest[..], &rest[..28]].concat()).unwrap();
        assert!(Bootstrap::read(&twice[..]).unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn what_means_nothing_is_an_error() {
        for pid in [0, -5] {
            let value = [&i32::to_le_bytes(pid)[..], &[0; 16]].concat();
            assert!(with_attribute(TARGET, &value).to_string().contains("no pid"));
        }
        assert!(with_attribute(99, b"").to_string().contains("type 99"));
        assert!(with_attribute(NEW, &0x100u32.to_le_bytes()).to_string().contains("0x100"));
        let time = Kind::Time as u32;
        assert!(with_attribute(NEW, &time.to_le_bytes()).to_string().contains("time namespace"));
    }
}
