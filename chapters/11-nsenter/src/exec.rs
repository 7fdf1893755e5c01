// ANCHOR: all
//! What does the parent of a command in another's namespaces do?

use std::{ffi::OsString, path::PathBuf};

use anyhow::Context;
use ch01_uts::spawn;
use ch03_pid::{Terminal, wait_for_init};
use ch05_user_idmap::{IdMapOptions, MapLine, Maps, UidMap, User};
use ch08_pipe_init::ProcessOptions;
use clap::ValueEnum;
use lab::info;
use lab::{Exit, Failure, StageOptions, why::namespace_names};
use nix::{sched::CloneFlags, sys::wait::wait, unistd::Pid};

use crate::{
    Bootstrap, InitPipe, Name, Target, bootstrap::Lending, sealed::name_process, state,
    target::KINDS,
};

/// The options of `exec`.
#[derive(clap::Args, Clone, Debug)]
pub struct ExecOptions {
    /// The container that `run --name` started: all of it is joined
    #[arg(required_unless_present = "target", conflicts_with_all = ["target", "all", "Kinds"])]
    pub name: Option<Name>,

    /// A process, instead: then say what of it is to be joined
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    pub target: Option<i32>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub kinds: Kinds,

    /// All namespaces, its ids, root and working directory, and the cgroup that `run` made
    #[arg(long)]
    pub all: bool,

    /// New namespaces for the command, copied from this process's: such as pid,mount
    #[arg(long, value_name = "KINDS", value_delimiter = ',', conflicts_with_all = ["name", "all"])]
    pub clone: Vec<Kind>,

    /// Join through the files in /proc/PID/ns, one by one
    #[arg(long)]
    pub one_by_one: bool,

    /// Run the command as this user and group inside [default: the target's, where its ids mean
    /// something]
    #[arg(long = "as", value_name = "UID:GID")]
    pub run_as: Option<User>,

    /// Start the command in this folder [default: where the target is]
    #[arg(long, value_name = "DIR")]
    pub workdir: Option<PathBuf>,

    /// With --clone user: map SIZE user ids, as `run` does
    #[arg(long, value_name = "IN:OUT:SIZE")]
    pub uid_map: Vec<UidMap>,

    /// With --clone user: map SIZE group ids
    #[arg(long, value_name = "IN:OUT:SIZE")]
    pub gid_map: Vec<MapLine>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub process: ProcessOptions,

    /// Say nothing on standard error but errors (like RUST_LOG=off)
    #[arg(short, long)]
    pub quiet: bool,

    /// What to run, with its arguments [default: a shell]
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// The namespaces of the target that are to be joined.
#[derive(clap::Args, Clone, Debug)]
#[group(multiple = true)]
pub struct Kinds {
    /// Its user namespace: with it, its ids
    #[arg(long)]
    pub user: bool,
    /// Its mount namespace
    #[arg(long)]
    pub mount: bool,
    /// Its PID namespace
    #[arg(long)]
    pub pid: bool,
    /// Its UTS namespace
    #[arg(long)]
    pub uts: bool,
    /// Its IPC namespace
    #[arg(long)]
    pub ipc: bool,
    /// Its network namespace
    #[arg(long)]
    pub net: bool,
    /// Its cgroup namespace
    #[arg(long)]
    pub cgroup: bool,
    /// Its time namespace
    #[arg(long)]
    pub time: bool,
}

impl Kinds {
    fn flags(&self) -> CloneFlags {
        let asked =
            [self.user, self.mount, self.pid, self.uts, self.ipc, self.net, self.cgroup, self.time];
        let chosen = KINDS.iter().zip(asked).filter(|(_, asked)| *asked);
        chosen.fold(CloneFlags::empty(), |all, ((flag, _), _)| all | *flag)
    }
}

/// A kind of namespace that clone(2) makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Kind {
    User,
    Mount,
    Pid,
    Uts,
    Ipc,
    Net,
}

impl ExecOptions {
    /// Which namespaces are to be new.
    fn clone_flags(&self) -> CloneFlags {
        self.clone
            .iter()
            .fold(CloneFlags::empty(), |all, kind| all | KINDS[*kind as usize].0)
    }

    /// Whether the command is to have the target's ids, root, working directory and cgroup too.
    fn whole(&self) -> bool {
        self.name.is_some() || self.all
    }

    /// Which namespaces are to be joined.
    fn wanted(&self) -> anyhow::Result<CloneFlags> {
        let (new, named) = (self.clone_flags(), self.kinds.flags());
        if new.intersects(named) {
            let both = namespace_names(new & named);
            return Err(Failure::usage(format!(
                "{both}: either the target's or a new one, not both"
            )));
        }
        match self.whole() {
            true => Ok(KINDS.iter().fold(CloneFlags::empty(), |all, (flag, _)| all | *flag)),
            false if (named | new).is_empty() => {
                Err(Failure::usage("--target: say what to join, such as --net, or --all"))
            }
            false => Ok(named),
        }
    }

    /// The maps of a new user namespace.
    fn maps(&self) -> anyhow::Result<Option<Maps>> {
        let ids = IdMapOptions {
            uid_map: self.uid_map.clone(),
            gid_map: self.gid_map.clone(),
            no_map: false,
            user: None,
        };
        match self.clone.contains(&Kind::User) {
            true => ids.maps(),
            false if ids.is_empty() => Ok(None),
            false => Err(Failure::usage("--uid-map and --gid-map are those of --clone user")),
        }
    }

    /// Sets the log up as asked.
    pub fn apply(&self) {
        self.process.apply();
        StageOptions {
            quiet: self.quiet,
            command: Vec::new(),
        }
        .apply();
    }

    /// What CHILD is to be told.
    fn bootstrap(
        &self,
        target: &Target,
        maps: Option<&Maps>,
        terminal: &Terminal,
    ) -> anyhow::Result<Bootstrap> {
        let namespaces = target.namespaces(self.wanted()?)?;
        let has_its_ids =
            self.whole() || namespaces.iter().any(|(flag, _)| *flag == CloneFlags::CLONE_NEWUSER);
        let user = match (self.run_as, maps) {
            (Some(user), Some(maps)) if !maps.contain(user) => {
                return Err(Failure::usage(format!(
                    "--as {}:{}: the maps do not contain it",
                    user.uid, user.gid
                )));
            }
            (Some(user), _) => Some(user),
            (None, Some(maps)) if maps.contain(User::ROOT) => Some(User::ROOT),
            (None, Some(_)) => {
                return Err(Failure::usage("--clone user: map id 0, or say --as whom"));
            }
            (None, None) if has_its_ids => Some(target.user()?),
            (None, None) => None,
        };
        Ok(Bootstrap {
            target: target.process(),
            namespaces,
            clone_flags: self.clone_flags(),
            uid_map: maps.map(|maps| maps.uid.lines().to_vec()).unwrap_or_default(),
            gid_map: maps.map(|maps| maps.gid.lines().to_vec()).unwrap_or_default(),
            place: self.whole(),
            one_by_one: self.one_by_one,
            terminal: match terminal {
                _ if !self.process.tty => Lending::None,
                terminal if terminal.is_lent() => Lending::Lent,
                _ => Lending::Shared,
            },
            interactive: self.process.interactive,
            workdir: self.workdir.clone(),
            process: self.process.process(&self.command, user),
        })
    }
}

/// The parent of the bootstrap: starts CHILD, tells it what to do, does for INIT what only a
/// process outside can do, and waits for it.
///
/// # Errors
///
/// There is no such container or process, or it has ended; the kernel refuses something; the
/// command cannot be executed.
pub fn exec(options: &ExecOptions) -> anyhow::Result<Exit> {
    name_process("nsenter:PARENT")?;
    let target = match (&options.name, options.target) {
        (Some(name), _) => Target::of(state::named(name)?).with_context(|| name.to_string())?,
        (None, pid) => Target::with_pid(Pid::from_raw(pid.unwrap_or_default()))?,
    };
    let (maps, terminal) = (options.maps()?, options.process.terminal()?);
    let bootstrap = options.bootstrap(&target, maps.as_ref(), &terminal)?;
    let target = target.still_alive()?; // so all that was read is its own

    let (pipe, childs_end) = InitPipe::pair()?;
    let mut child = spawn(CloneFlags::empty(), || childs_end.become_child())?;
    drop(childs_end);
    let sent = pipe.send(&bootstrap);
    let exit = child.wait_until_it_leaves()?;
    let Some(init) = pipe.reported()? else {
        drop(pipe); // an INIT that was not reported waits for this end, and gives up
        let outcome = child.outcome(exit); // CHILD's error says more than ours
        while wait().is_ok() {} // that INIT is a child of ours all the same
        let exit = outcome?;
        sent?;
        return Ok(exit);
    };
    let init = child.succeeded_by(init);
    info!("INIT is {init}, and a child of mine: CHILD has left", init = init.pid());
    terminal.lend(init.pid())?;
    if options.whole() {
        target.share_groups(init.pid())?;
    }
    if let Some(maps) = &maps {
        maps.write(init.pid())?;
    }
    pipe.open_gate()?; // to an INIT that has ended: its end says why
    wait_for_init(init, &terminal)
}
// ANCHOR_END: all
