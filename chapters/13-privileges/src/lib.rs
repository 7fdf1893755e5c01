// ANCHOR: intro
//! What a process in a container may call.
//!
//! Chapter 12 decides what a container can reach. This one decides what its processes can do with
//! it: which of root's powers they have, which system calls the kernel answers, and how much they
//! may use.
//!
//! | module | question it answers |
//! |---|---|
//! | [`capabilities`] | which parts of root's power does a process have? |
//! | [`sets`] | how does a process give capabilities up? |
//! | [`profile`] | which system calls does a profile let through? |
//! | [`syscalls`] | which number has a system call? |
//! | [`seccomp`] | how does the kernel learn which system calls a process may make? |
//! | [`limits`] | how much may a process use, and who is killed first? |
//! | [`options`] | which options are there, and what do they mean? |
//! | [`lines`] | how does an `exec` get no more than `run` gave? |
//! | `confine` | how do the privileges reach the process that gives them up? |
//! | `commands` | what do `run` and `exec` do differently? |
//!
//! Source: capabilities(7), seccomp(2), prctl(2), getrlimit(2).

pub mod capabilities;
mod commands;
mod confine;
pub mod limits;
pub mod lines;
pub mod options;
pub mod profile;
pub mod seccomp;
pub mod sets;
pub mod syscalls;

use std::fmt;

use anyhow::{Context, ensure};
use ch01_uts::spawn;
use ch05_user_idmap::{CLONE_NEWUSER, Gate, Maps, User, become_user};
use ch08_pipe_init::wire::{Bytes, put_bytes, put_list};
use lab::{Exit, Probe, info};
use nix::{sys::prctl, unistd::geteuid};

pub use capabilities::CapabilitySet;
pub use commands::{ConfinedRunOptions, exec, run};
pub use confine::{become_confined, stay_confined};
pub use limits::{Limit, Limits};
pub use options::PrivilegeOptions;
pub use seccomp::Filter;
// ANCHOR_END: intro

// ANCHOR: privileges
/// What the processes of a container may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privileges {
    /// What root inside keeps.
    pub capabilities: CapabilitySet,
    /// The filter of system calls; `None` lets all through.
    pub filter: Option<Filter>,
    /// What a process may use.
    pub limits: Limits,
}

impl Privileges {
    /// Inside, the last thing before the command: becomes `user`, and gives up what the container
    /// does not get. Each step may need what the next one takes away.
    ///
    /// # Errors
    ///
    /// A limit is above the hard limit; the map does not contain the user; as prctl(2), capset(2)
    /// and seccomp(2).
    pub fn apply(&self, user: Option<User>) -> anyhow::Result<()> {
        let is_root = user.map_or(geteuid().is_root(), |user| user.uid == 0);
        let own = match is_root {
            true => self.capabilities,
            false => CapabilitySet::NONE,
        };
        info!("capabilities: {own}; filter: {}", self.shown_filter());
        // ANCHOR: exercise-order
        self.limits.apply()?;
        self.capabilities.bound()?; // needs CAP_SETPCAP
        if let Some(user) = user {
            become_user(user)?; // needs CAP_SETUID and CAP_SETGID
        }
        own.become_own()?;
        // No execve(2) gives a privilege from now on. Without it, a filter needs CAP_SYS_ADMIN.
        prctl::set_no_new_privs().context("prctl PR_SET_NO_NEW_PRIVS")?;
        self.filter.as_ref().map_or(Ok(()), Filter::install)
        // ANCHOR_END: exercise-order
    }

    /// The same, with none but these capabilities.
    #[must_use]
    pub fn within(mut self, bounding: CapabilitySet) -> Privileges {
        self.capabilities = self.capabilities.and(bounding);
        self
    }

    /// Writes it to the end of `rest`.
    pub fn encode(&self, rest: &mut Vec<u8>) {
        rest.extend(self.capabilities.bits().to_le_bytes());
        put_list(rest, self.filter.as_slice(), |to, filter| put_bytes(to, &filter.to_bytes()));
        self.limits.encode(rest);
    }

    /// Reads it from the front of `rest`.
    ///
    /// # Errors
    ///
    /// It is cut short, or is not what was written.
    pub fn decode(rest: &mut Bytes) -> anyhow::Result<Privileges> {
        Ok(Privileges {
            capabilities: CapabilitySet::from_bits(rest.read_u64()?),
            filter: rest.read_optional(|from| Filter::from_bytes(from.read_bytes()?))?,
            limits: Limits::decode(rest)?,
        })
    }

    fn shown_filter(&self) -> String {
        match &self.filter {
            None => "none".into(),
            Some(filter) => format!("{} instructions", filter.length()),
        }
    }
}

impl fmt::Display for Privileges {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "keeps {}; filter: {}", self.capabilities, self.shown_filter())
    }
}
// ANCHOR_END: privileges

// ANCHOR: probe
/// Can a process here give up capabilities, and install a filter?
pub fn probe() -> Probe {
    ch12_walls::probe().but(try_to_give_up())
}

fn try_to_give_up() -> anyhow::Result<()> {
    let capabilities = CapabilitySet::of_docker();
    let privileges = Privileges {
        capabilities,
        filter: Filter::of_default(capabilities)?,
        limits: Limits::default(),
    };
    let gate = Gate::new()?;
    let child = spawn(CLONE_NEWUSER, || {
        gate.wait()?;
        privileges.apply(Some(User::ROOT))?;
        Ok(Exit::Code(0))
    })?;
    Maps::of_own_ids()?.write(child.pid())?;
    gate.open()?;
    let exit = child.wait_as_usual()?;
    ensure!(exit == Exit::Code(0), "the child with a filter ended with {exit}");
    Ok(())
}
// ANCHOR_END: probe
