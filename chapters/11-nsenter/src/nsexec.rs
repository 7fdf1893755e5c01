// ANCHOR: child
//! What happens between PARENT's execve(2) and the command's?
//!
//! CHILD is this program, started again: a fresh process with one thread. It reads the bootstrap
//! data, joins, and clones INIT, because a joined PID namespace is only for children. It clones
//! INIT with CLONE_PARENT: INIT's parent is PARENT, which waits for it as for any child, and CHILD
//! can end. (The manual page clone(2) forbids CLONE_PARENT with CLONE_NEWPID and CLONE_NEWUSER; the
//! kernel has allowed it since Linux 3.13.)
//! Source: setns(2), pid_namespaces(7), clone(2).

use std::{env, fs::File, io::Write, path::Path, process};

use anyhow::{Context, anyhow};
use ch01_uts::{Cloned, die_with_parent, raw_clone, require_one_thread};
use ch02_ipc::End;
use ch03_pid::Terminal;
use ch04_mount::{make_private, mount_proc};
use ch06_reexec::bring_up_loopback;
use ch08_pipe_init::{Process, take_streams};
use lab::{
    Kind, Namespaces, Next, Program, context, debug, diagnose::explain_clone_error,
    exec::inherited_errors, go_on, info,
};
use nix::{
    errno::Errno,
    sched::{CloneFlags, setns},
    sys::prctl,
    unistd::{chroot, fchdir, getpid, setgroups},
};

use crate::{Bootstrap, Target, bootstrap::Lending, exec::CHANNEL, name_process};

/// How INIT becomes the command.
pub type Become = fn(&Process) -> anyhow::Result<Program>;

/// Runs CHILD if this process was started as CHILD; `None` if not. Call it first in `main`.
///
/// # Errors
///
/// CHILD's.
pub fn nsexec(become_command: Become) -> anyhow::Result<Option<Next>> {
    End::inherited(CHANNEL)
        .map(|channel| child(&channel, become_command))
        .transpose()
}

/// CHILD: joins, clones INIT, reports its pid, and ends.
fn child(channel: &End, become_command: Become) -> anyhow::Result<Next> {
    name_process("nsenter:CHILD")?;
    let bootstrap = Bootstrap::read(channel).context("receive the bootstrap data")?;
    let Bootstrap { target, joined, .. } = &bootstrap;
    debug!("CHILD, from PARENT: target {}, {} namespaces", target.pid, joined.len());
    let terminal = match bootstrap.terminal {
        Lending::Cut => Terminal::Cut,
        Lending::Background => Terminal::Background,
        Lending::Lent => Terminal::find()?,
    };
    let place = Place::look(&bootstrap)?;
    hide(bootstrap.new)?;
    if joined.iter().any(|(kind, _)| *kind == Kind::User) {
        leave_groups()?;
    }
    let place = place.join(&bootstrap)?;
    place.enter(&bootstrap)?;

    require_one_thread()?;
    // ANCHOR: exercise-init
    // SAFETY: none of these flags shares memory, and there is one thread.
    let cloned = unsafe { raw_clone(bootstrap.new.bits() | libc::CLONE_PARENT) };
    // ANCHOR_END: exercise-init
    match cloned.map_err(|errno| refused(bootstrap.new, errno))? {
        Cloned::Child => {
            context::speak_as("init");
            let next = init(channel, &bootstrap, &terminal, become_command);
            process::exit(go_on(next, inherited_errors()).into())
        }
        Cloned::Parent(init) => {
            debug!("cloned INIT: {} out here; reporting that, and ending", init.pid());
            let pid = init.pid().as_raw().to_ne_bytes();
            { channel }.write_all(&pid).context("report INIT's pid")?;
            process::exit(0)
        }
    }
}

fn refused(new: Namespaces, errno: Errno) -> anyhow::Error {
    let reason = match errno {
        Errno::ENOMEM => "the PID 1 of its PID namespace has ended".to_owned(),
        _ => explain_clone_error(new, errno),
    };
    anyhow!("clone INIT: {}: {reason}", errno.desc())
}

/// Keeps root inside from tracing this process and from opening its files in /proc: until execve(2)
/// its memory and descriptors are the host's (CVE-2016-9962). An INIT in a new user namespace is
/// left as it is: PARENT could not write its map, and root inside has no capability in that
/// namespace.
fn hide(new: Namespaces) -> anyhow::Result<()> {
    // ANCHOR: exercise-hide
    prctl::set_dumpable(new.contains(Kind::User)).context("prctl PR_SET_DUMPABLE")
    // ANCHOR_END: exercise-hide
}

/// Drops the caller's supplementary groups, which are the host's: in an ordinary user's container
/// setgroups(2) is denied (user_namespaces(7)).
fn leave_groups() -> anyhow::Result<()> {
    match setgroups(&[]) {
        Err(Errno::EPERM) => Ok(()), // an ordinary user's are the container's too
        other => other.context("setgroups to none"),
    }
}
// ANCHOR_END: child

// ANCHOR: place
/// Where the command will be: read from the host's /proc, before another /proc is in its place.
struct Place {
    target: Target,
    root: Option<File>,
    workdir: Option<File>,
}

/// The same, after the join.
struct Joined {
    root: Option<File>,
    workdir: Option<File>,
}

impl Place {
    fn look(bootstrap: &Bootstrap) -> anyhow::Result<Place> {
        let target = Target::of(bootstrap.target)?;
        let is_elsewhere = bootstrap.workdir.as_ref().is_some_and(|folder| folder.is_absolute());
        let (root, workdir) = match bootstrap.at_the_target {
            false => (None, None),
            true if is_elsewhere => (target.root()?, None),
            true => (target.root()?, Some(target.workdir()?)),
        };
        Ok(Place {
            target,
            root,
            workdir,
        })
    }

    fn join(self, bootstrap: &Bootstrap) -> anyhow::Result<Joined> {
        join(self.target, &bootstrap.joined, bootstrap.one_by_one)?;
        Ok(Joined {
            root: self.root,
            workdir: self.workdir,
        })
    }
}

impl Joined {
    /// Goes where the target is: into its root folder, and its working directory.
    fn enter(&self, bootstrap: &Bootstrap) -> anyhow::Result<()> {
        if let Some(root) = &self.root {
            fchdir(root).context("fchdir to the target's root")?;
            chroot(".").context("chroot to the target's root")?;
        }
        if let Some(workdir) = &self.workdir {
            fchdir(workdir).context("fchdir to the target's working directory")?;
        }
        if let Some(folder) = &bootstrap.workdir {
            env::set_current_dir(folder)
                .with_context(|| format!("chdir to {}", folder.display()))?;
        }
        Ok(())
    }
}
// ANCHOR_END: place

// ANCHOR: join
/// Joins the namespaces of the target: all at once through the pidfd (Linux 5.8), or one by one
/// through the files, the user namespace first. That one gives this process all capabilities in it,
/// which joining the others takes.
///
/// # Errors
///
/// EPERM without CAP_SYS_ADMIN where it is needed; the target has ended.
pub fn join(
    target: Target,
    namespaces: &[(Kind, std::path::PathBuf)],
    one_by_one: bool,
) -> anyhow::Result<()> {
    // ANCHOR: exercise-join
    let open = |(kind, file): &(Kind, std::path::PathBuf)| anyhow::Ok((*kind, open(file)?));
    let files = namespaces.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let target = target.still_alive()?; // so these files are the target's
    let all: Namespaces = namespaces.iter().map(|(kind, _)| *kind).collect();
    if !one_by_one && !all.is_empty() {
        match setns(target.pidfd(), CloneFlags::from_bits_retain(all.bits())) {
            Ok(()) => {
                info!("joined, by the pidfd: {all}");
                return Ok(());
            }
            Err(Errno::EINVAL) => {
                info!(
                    "setns takes no pidfd for these, or none at all (before Linux 5.8): one by one"
                )
            }
            Err(errno) => return Err(not_joined(all, errno)),
        }
    }
    for (kind, file) in files {
        let one = Namespaces::of(kind);
        setns(file, CloneFlags::from_bits_retain(one.bits()))
            .map_err(|errno| not_joined(one, errno))?;
        info!("joined: {one}");
    }
    // ANCHOR_END: exercise-join
    Ok(())
}

fn open(file: &Path) -> anyhow::Result<File> {
    File::open(file).with_context(|| format!("open {}", file.display()))
}

fn not_joined(namespaces: Namespaces, errno: Errno) -> anyhow::Error {
    let reason = match errno {
        Errno::EPERM => {
            "joining takes CAP_SYS_ADMIN in your user namespace and in the one that owns the \
             joined one: join the target's user namespace, too (--user, or --all)"
        }
        Errno::ESRCH => "the target has ended",
        Errno::EINVAL => {
            "a PID namespace must be yours or below yours, and a user namespace must not be yours"
        }
        _ => "see setns(2)",
    };
    anyhow!("setns: {namespaces}: {}: {reason}", errno.desc())
}
// ANCHOR_END: join

// ANCHOR: init
/// INIT: waits until PARENT has done its part, and then becomes the command.
fn init(
    channel: &End,
    bootstrap: &Bootstrap,
    terminal: &Terminal,
    become_command: Become,
) -> anyhow::Result<Program> {
    name_process("nsenter:INIT")?;
    die_with_parent()?;
    channel.wait().context("wait at the gate")?;
    take_streams()?;
    info!("PID {} in here", getpid());
    terminal.take()?;
    if bootstrap.new.contains(Kind::Mount) {
        make_private()?;
        if bootstrap.new.contains(Kind::Pid) {
            mount_proc(Path::new("/proc"))?;
        }
    }
    if bootstrap.new.contains(Kind::Network) {
        bring_up_loopback()?;
    }
    become_command(&bootstrap.process)
}
// ANCHOR_END: init
