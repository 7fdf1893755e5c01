// ANCHOR: options
//! Which options are there?

use std::{
    env,
    ffi::OsString,
    io::{IsTerminal, stdin},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use ch04_mount::find_rootfs;
use ch05_user_idmap::{Maps, User};
use ch06_reexec::{hostname_or_random, require_root_inside};
use ch07_cgroup_memory::CgroupOptions;
use clap::builder::{OsStringValueParser, TypedValueParser};
use lab::{debug, info, shell::is_interactive};
use nix::unistd::geteuid;

use crate::{Message, Process, Streams};

/// The options of any command in a container.
#[derive(clap::Args, Clone, Debug)]
pub struct ProcessOptions {
    /// Run the command on a terminal, with Ctrl-C and job control
    #[arg(short, long)]
    pub tty: bool,

    /// Pass standard input on to the command [default: its input is empty]
    #[arg(short, long)]
    pub interactive: bool,

    /// Set an environment variable of the command (repeatable)
    #[arg(
        short,
        long,
        value_name = "NAME=VALUE",
        value_parser = OsStringValueParser::new().try_map(variable)
    )]
    pub env: Vec<(OsString, OsString)>,
}

/// The options of `run`.
#[derive(clap::Args, Clone, Debug)]
pub struct RunOptions {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub process: ProcessOptions,

    /// Keep an init as PID 1: it reaps orphans, and passes signals on to the command, its child
    #[arg(long)]
    pub init: bool,

    /// The options of the chapters below.
    #[command(flatten)]
    pub uts: ch01_uts::UtsOptions,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub mount: ch04_mount::MountOptions,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub ids: ch05_user_idmap::IdMapOptions,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub cgroup: ch07_cgroup_memory::CgroupOptions,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub lab: lab::StageOptions,
}

fn variable(text: OsString) -> Result<(OsString, OsString), String> {
    let bytes = text.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        None | Some(0) => Err("write NAME=VALUE".into()),
        Some(end) => {
            let part = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
            Ok((part(&bytes[..end]), part(&bytes[end + 1..])))
        }
    }
}

impl ProcessOptions {
    /// What the container gets as its three streams.
    ///
    /// # Errors
    ///
    /// As [`Streams::new`].
    pub fn streams(&self) -> anyhow::Result<Streams> {
        Streams::new(self.tty, self.interactive)
    }

    /// The command `argv` for this user, with a small environment and what `-e` adds. Of the
    /// host's environment it has TERM only, and only with `-t`.
    pub fn process(&self, argv: &[OsString], user: Option<User>) -> Process {
        let mut words = argv.iter().map(OsString::as_os_str);
        if !self.interactive && (argv.is_empty() || is_interactive(&mut words)) {
            info!("standard input is empty: -i passes yours on, -ti a terminal");
        }
        let home = if user.is_none_or(|user| user.uid == 0) {
            "/root"
        } else {
            "/"
        };
        let mut environment: Vec<(OsString, OsString)> = vec![
            (
                "PATH".into(),
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into(),
            ),
            ("HOME".into(), home.into()),
        ];
        if let Some(term) = env::var_os("TERM").filter(|_| self.tty) {
            environment.push(("TERM".into(), term));
        }
        for (name, value) in &self.env {
            environment.retain(|(other, _)| other != name);
            environment.push((name.clone(), value.clone()));
        }
        Process {
            argv: argv.to_owned(),
            env: environment,
            user,
        }
    }
}

/// What a container needs to start, checked before anything is made.
pub struct Prepared {
    /// The id maps.
    pub maps: Maps,
    /// The limits.
    pub limits: CgroupOptions,
    /// The message to init.
    pub message: Message,
    /// What the container gets as its three streams.
    pub streams: Streams,
}

impl RunOptions {
    /// Applies the options of the log.
    pub fn apply(&self) {
        self.lab.apply();
    }

    /// Applies the options of the log, and prepares the others.
    ///
    /// # Errors
    ///
    /// An option makes no sense, or needs something that this machine does not have.
    pub fn prepare(&self) -> anyhow::Result<Prepared> {
        self.apply();
        Ok(Prepared {
            maps: self.maps()?,
            limits: self.cgroup.clone(),
            message: self.message()?,
            streams: self.process.streams()?,
        })
    }

    /// The id maps. Root's default is all ids as themselves: a root file system has files of many
    /// users, and programs inside use chown and su. For an ordinary user, 0 inside is that user.
    fn maps(&self) -> anyhow::Result<Maps> {
        let maps = if self.ids.is_empty() && geteuid().is_root() {
            Some(Maps::identity()?)
        } else {
            self.ids.maps()?
        };
        let maps = require_root_inside(maps)?;
        if maps.uid.lines().iter().all(|line| line.size == 1) {
            debug!("one user id only: chown and su want --uid-map auto");
        }
        Ok(maps)
    }

    /// The message to init.
    fn message(&self) -> anyhow::Result<Message> {
        let rootfs = self.mount.rootfs.as_deref().map(find_rootfs).transpose()?;
        let process = self.process.process(&self.lab.command, self.ids.user);
        debug!("for init: {}", process.shown());
        Ok(Message {
            process,
            hostname: hostname_or_random(self.uts.hostname.clone())?,
            rootfs,
            init_stays: self.init,
        })
    }
}

/// The command line; without a word: `run` with a shell, and with the terminal if there is one.
pub fn default_arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = env::args_os().collect();
    if arguments.len() < 2 {
        let how = if stdin().is_terminal() { "-ti" } else { "-i" };
        arguments.extend(["run", how].map(OsString::from));
    }
    arguments
}
// ANCHOR_END: options

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_a_name_and_a_value() {
        assert_eq!(variable("K=a=b".into()), Ok(("K".into(), "a=b".into())));
        assert_eq!(variable("K=".into()), Ok(("K".into(), "".into())));
        for wrong in ["", "K", "=v"] {
            assert!(variable(wrong.into()).is_err(), "{wrong:?}");
        }
    }
}
