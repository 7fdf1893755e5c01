//! How does root give an ordinary user groups to limit in, on version 1?
//!
//! `sudo target/debug/examples/delegate USER COMMAND` runs a command as this user, in groups that
//! belong to the user. On version 2, systemd does that: `systemd-run --user --scope -p
//! Delegate=yes COMMAND`.
//!
//! The limits of these groups stay root's: the user limits in groups below them.

use std::{
    ffi::{CString, OsString},
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, ensure};
use ch03_pid::Job;
use ch07_cgroup_memory::hierarchy::{Hierarchy, Version, hierarchies_of, with_controller};
use clap::Parser;
use lab::{Exit, Failure, Namespaces, Program, info, warn};
use nix::unistd::{Pid, User, geteuid, initgroups, setgid, setuid};

/// Runs a command as an ordinary user, in cgroups (version 1) that belong to this user.
#[derive(Parser)]
struct Cli {
    /// Whose command it is
    user: String,

    /// The command, and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

fn main() -> ExitCode {
    lab::run(|| delegate(&lab::parse()?))
}

fn delegate(cli: &Cli) -> anyhow::Result<Exit> {
    ensure!(geteuid().is_root(), "only root can give a group away: use sudo");
    let user = User::from_name(&cli.user)
        .with_context(|| format!("look up the user {}", cli.user))?
        .ok_or_else(|| Failure::usage(format!("there is no user {}", cli.user)))?;
    let job = Job::new()?;
    let groups = Delegated::to(&user)?;
    let child = job.spawn(Namespaces::NONE, || {
        groups.enter()?;
        let name = CString::new(user.name.clone())?;
        initgroups(&name, user.gid).with_context(|| format!("take the groups of {}", user.name))?;
        setgid(user.gid).with_context(|| format!("become gid {}", user.gid))?;
        setuid(user.uid).with_context(|| format!("become uid {}", user.uid))?;
        Ok(Program::command(&cli.command))
    })?;
    job.wait(child)
}

/// Groups that belong to a user, one in each hierarchy that chapter 7 limits in. Removed on drop.
struct Delegated(Vec<PathBuf>);

impl Delegated {
    fn to(user: &User) -> anyhow::Result<Delegated> {
        let all = hierarchies_of("self")?;
        let mut made = Delegated(Vec::new());
        for controller in ["memory", "cpu", "cpuset"] {
            let hierarchy = with_controller(&all, controller)?;
            ensure!(
                hierarchy.version == Version::V1,
                "{controller} is on cgroup v2: run `systemd-run --user --scope -p Delegate=yes \
                 COMMAND` instead"
            );
            let group = hierarchy.group.join(format!("delegated-{}", Pid::this()));
            if !made.0.contains(&group) {
                made.make(hierarchy, group, user)?;
            }
        }
        Ok(made)
    }

    fn make(&mut self, hierarchy: &Hierarchy, group: PathBuf, user: &User) -> anyhow::Result<()> {
        fs::create_dir(&group).with_context(|| format!("make {}", group.display()))?;
        self.0.push(group.clone());
        // A new group of cpuset has no processors, and takes no process without.
        for knob in ["cpuset.cpus", "cpuset.mems"] {
            let above = hierarchy.group.join(knob);
            if above.exists() {
                copy(&above, &group.join(knob))?;
            }
        }
        for place in [group.join("cgroup.procs"), group.clone()] {
            chown(&place, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
                .with_context(|| format!("give {} to {}", place.display(), user.name))?;
        }
        info!("{} belongs to {}", group.display(), user.name);
        Ok(())
    }

    /// Moves this process into them.
    fn enter(&self) -> anyhow::Result<()> {
        for group in &self.0 {
            let procs = group.join("cgroup.procs");
            // 0 is the process that writes.
            fs::write(&procs, "0").with_context(|| format!("write {}", procs.display()))?;
        }
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let value = fs::read_to_string(from).with_context(|| format!("read {}", from.display()))?;
    fs::write(to, value.trim()).with_context(|| format!("write {}", to.display()))
}

impl Drop for Delegated {
    fn drop(&mut self) {
        for group in &self.0 {
            if let Err(error) = fs::remove_dir(group) {
                warn!("{} stays, with its processes: {error}", group.display());
            }
        }
    }
}
