// ANCHOR: options
//! Which options has `exec`, and what do they mean?

use std::{ffi::OsString, path::PathBuf, str::FromStr};

use anyhow::Context;
use ch03_pid::Terminal;
use ch05_user_idmap::{IdMapOptions, MapLine, Maps, UidMap, User};
use ch08_pipe_init::ProcessOptions;
use ch10_names::{Name, Names};
use lab::{Failure, Kind, LogOptions, Namespaces, exec::shown};
use nix::unistd::Pid;

use crate::{Bootstrap, Target, bootstrap::Lending};

/// The options of `exec`.
#[derive(clap::Args, Clone, Debug)]
pub struct ExecOptions {
    /// Join all of the container that `run --name` started
    #[arg(required_unless_present = "target")]
    pub name: Option<Name>,

    /// Join namespaces of this process instead: name them with the options below, and write `--`
    /// before the command
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    pub target: Option<i32>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub joined: JoinedKinds,

    /// Join all its namespaces and the cgroup that `run` made, and take its ids, root and working
    /// directory
    #[arg(long)]
    pub all: bool,

    /// Make new namespaces for the command, such as pid,mount
    #[arg(long, value_name = "KINDS", value_delimiter = ',', conflicts_with_all = ["name", "all"])]
    pub clone: Vec<NewKind>,

    /// Join one namespace after the other, through the files in /proc/PID/ns
    #[arg(long)]
    pub one_by_one: bool,

    /// Run the command as this user and group inside [default: the target's, if you join its user
    /// namespace]
    #[arg(long = "as", value_name = "UID:GID")]
    pub run_as: Option<User>,

    /// Start the command in this folder inside [default: the target's, if you join all]
    #[arg(long, value_name = "DIR")]
    pub workdir: Option<PathBuf>,

    /// With --clone user: map SIZE user ids, from IN inside to OUT here, as `run` does
    #[arg(long, value_name = "IN:OUT:SIZE")]
    pub uid_map: Vec<UidMap>,

    /// With --clone user: map SIZE group ids, from IN inside to OUT here
    #[arg(long, value_name = "IN:OUT:SIZE")]
    pub gid_map: Vec<MapLine>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub process: ProcessOptions,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub log: LogOptions,

    /// The command, with its arguments [default: a shell]
    #[arg(allow_hyphen_values = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,

    /// The same, behind `--`: there its first word is no container's name.
    #[arg(last = true, hide = true)]
    pub command_alone: Vec<OsString>,
}

/// The namespaces of the target to join.
#[derive(clap::Args, Clone, Debug)]
#[group(multiple = true)]
pub struct JoinedKinds {
    /// Join its user namespace, and take its ids
    #[arg(long)]
    pub user: bool,
    /// Join its mount namespace
    #[arg(long)]
    pub mount: bool,
    /// Join its PID namespace
    #[arg(long)]
    pub pid: bool,
    /// Join its UTS namespace
    #[arg(long)]
    pub uts: bool,
    /// Join its IPC namespace
    #[arg(long)]
    pub ipc: bool,
    /// Join its network namespace
    #[arg(long)]
    pub net: bool,
    /// Join its cgroup namespace
    #[arg(long)]
    pub cgroup: bool,
    /// Join its time namespace
    #[arg(long)]
    pub time: bool,
}

impl JoinedKinds {
    fn namespaces(&self) -> Namespaces {
        let asked = [
            (Kind::User, self.user),
            (Kind::Mount, self.mount),
            (Kind::Pid, self.pid),
            (Kind::Uts, self.uts),
            (Kind::Ipc, self.ipc),
            (Kind::Network, self.net),
            (Kind::Cgroup, self.cgroup),
            (Kind::Time, self.time),
        ];
        let asked = asked.into_iter().filter(|(_, is_asked)| *is_asked);
        asked.map(|(kind, _)| kind).collect()
    }
}

/// A kind of namespace that `--clone` makes, by the name that its option has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewKind(Kind);

impl FromStr for NewKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kinds = [
            ("user", Kind::User),
            ("mount", Kind::Mount),
            ("pid", Kind::Pid),
            ("uts", Kind::Uts),
            ("ipc", Kind::Ipc),
            ("net", Kind::Network),
        ];
        let found = kinds.into_iter().find(|(name, _)| *name == text);
        found
            .map(|(_, kind)| NewKind(kind))
            .ok_or_else(|| "the kinds are user, mount, pid, uts, ipc and net".to_owned())
    }
}
// ANCHOR_END: options

// ANCHOR: meaning
impl ExecOptions {
    /// The process whose namespaces are joined.
    ///
    /// # Errors
    ///
    /// The options contradict each other; there is no such container or process, or it has ended.
    pub fn find_target(&self) -> anyhow::Result<Target> {
        self.require_one_meaning()?;
        match (&self.name, self.target) {
            (Some(name), _) => {
                let container = Names::of_this_user()?.find(name)?;
                Target::of(container).with_context(|| name.to_string())
            }
            (None, pid) => Target::with_pid(Pid::from_raw(pid.unwrap_or_default())),
        }
    }

    /// Each word is either the container's name or of the command.
    fn require_one_meaning(&self) -> anyhow::Result<()> {
        let is_option = |word: &&OsString| word.as_encoded_bytes().starts_with(b"-");
        let of_target = self.target.is_some() || self.all || !self.joined.namespaces().is_empty();
        let (word, why) = match (self.command.first().filter(is_option), &self.name) {
            (Some(option), _) => (shown(option), "is no option of `exec`"),
            (None, Some(name)) if of_target => {
                (name.to_string(), "cannot be used with --target, --all or a kind such as --net")
            }
            _ => return Ok(()),
        };
        Err(Failure::usage(format!(
            "'{word}' {why}: if it is the command, write `-- {word}`"
        )))
    }

    /// Whether the command has the target's ids, root, working directory and cgroup too.
    pub fn is_whole(&self) -> bool {
        self.name.is_some() || self.all
    }

    /// The maps of a new user namespace.
    ///
    /// # Errors
    ///
    /// As [`IdMapOptions::maps`]; or there is no new one.
    pub fn maps(&self) -> anyhow::Result<Option<Maps>> {
        let ids = IdMapOptions {
            uid_map: self.uid_map.clone(),
            gid_map: self.gid_map.clone(),
            no_map: false,
            user: None,
        };
        match self.new_namespaces().contains(Kind::User) {
            true => ids.maps(),
            false if ids.is_empty() => Ok(None),
            false => Err(Failure::usage("--uid-map and --gid-map need --clone user")),
        }
    }

    /// What CHILD must know.
    ///
    /// # Errors
    ///
    /// The options contradict each other, or make no sense for this target.
    pub fn bootstrap(
        &self,
        target: &Target,
        maps: Option<&Maps>,
        terminal: &Terminal,
    ) -> anyhow::Result<Bootstrap> {
        let joined = target.other_namespaces(self.joined_namespaces()?)?;
        let joins = |kind: Kind| joined.iter().any(|(other, _)| *other == kind);
        if joins(Kind::Pid) && !joins(Kind::Mount) && is_walled_off(target)? {
            return Err(Failure::usage(
                "--pid without --mount: through /proc/PID/root of the command, root inside could \
                 reach your files: join --mount, too",
            ));
        }
        let command = [&self.command[..], &self.command_alone[..]].concat();
        let has_its_ids = self.is_whole() || joins(Kind::User);
        Ok(Bootstrap {
            target: target.process(),
            new: self.new_namespaces(),
            at_the_target: self.is_whole(),
            one_by_one: self.one_by_one,
            terminal: match terminal {
                Terminal::Cut => Lending::Cut,
                Terminal::Background => Lending::Background,
                Terminal::Lent { .. } => Lending::Lent,
            },
            workdir: self.workdir.clone(),
            process: self.process.process(&command, self.user(target, maps, has_its_ids)?),
            joined,
        })
    }

    fn new_namespaces(&self) -> Namespaces {
        self.clone.iter().map(|NewKind(kind)| *kind).collect()
    }

    fn joined_namespaces(&self) -> anyhow::Result<Namespaces> {
        let (new, named) = (self.new_namespaces(), self.joined.namespaces());
        let both: Namespaces = new.kinds().filter(|kind| named.contains(*kind)).collect();
        if !both.is_empty() {
            return Err(Failure::usage(format!(
                "{both}: either join the target's or make a new one"
            )));
        }
        if self.is_whole() {
            return Ok(Kind::ALL.into_iter().collect());
        }
        if (named | new).is_empty() {
            return Err(Failure::usage("--target: name what to join, such as --net, or --all"));
        }
        Ok(named)
    }

    /// The user and group of the command.
    fn user(
        &self,
        target: &Target,
        maps: Option<&Maps>,
        has_its_ids: bool,
    ) -> anyhow::Result<Option<User>> {
        match (self.run_as, maps) {
            (Some(User { uid, gid }), Some(maps)) if !maps.contains(User { uid, gid }) => {
                Err(Failure::usage(format!("--as {uid}:{gid}: the maps do not have it")))
            }
            (Some(user), _) => Ok(Some(user)),
            (None, Some(maps)) if maps.contains(User::ROOT) => Ok(Some(User::ROOT)),
            (None, Some(_)) => Err(Failure::usage("--clone user: map id 0, or add --as UID:GID")),
            (None, None) if has_its_ids => target.user().map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// Whether the target has another user namespace than this process, and other mounts.
fn is_walled_off(target: &Target) -> anyhow::Result<bool> {
    Ok(target.is_apart(Kind::User)? && target.is_apart(Kind::Mount)?)
}
// ANCHOR_END: meaning
