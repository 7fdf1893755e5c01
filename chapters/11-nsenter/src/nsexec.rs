// ANCHOR: child
//! What happens between the parent's execve(2) and the command's?
//!
//! CHILD is this program, started again: a fresh process with one thread and nothing open. It
//! reads the bootstrap data, joins, and clones INIT; a PID namespace that was joined takes
//! effect for children only. INIT is cloned with CLONE_PARENT: its parent is CHILD's, which
//! waits for it as for any child, and CHILD can leave.
//! Source: setns(2), pid_namespaces(7), clone(2).

use std::{
    convert::Infallible,
    env,
    fs::File,
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, anyhow, ensure};
use ch01_uts::{clone_process, die_with_parent};
use ch03_pid::Terminal;
use ch04_mount::{make_private, mount_proc};
use ch06_reexec::bring_up_loopback;
use ch08_pipe_init::command::{become_container, leave_the_caller};
use lab::info;
use lab::{
    errors, voice,
    why::{self, namespace_names},
};
use nix::{
    errno::Errno,
    sched::{CloneFlags, setns},
    sys::prctl,
    unistd::{chroot, dup2_stdin, fchdir, getpid, setgroups},
};

use crate::{Bootstrap, InitPipe, Target, bootstrap::Lending, sealed::name_process};

/// Runs CHILD, if this process was started as that: to be asked before anything else.
///
/// # Errors
///
/// What CHILD fails with.
pub fn nsexec() -> anyhow::Result<Option<Infallible>> {
    InitPipe::inherited()?.map(|pipe| child(&pipe)).transpose()
}

/// CHILD: joins, clones INIT, reports its pid, and leaves.
fn child(pipe: &InitPipe) -> anyhow::Result<Infallible> {
    name_process("nsenter:CHILD")?;
    leave_the_caller(&[pipe.number()])?;
    let bootstrap = pipe.receive()?;
    info!(
        "CHILD, from the parent: target {}, {} namespaces",
        bootstrap.target.pid,
        bootstrap.namespaces.len()
    );
    let terminal = match bootstrap.terminal {
        Lending::None => Terminal::detached(),
        Lending::Shared => Terminal::shared(),
        Lending::Lent => Terminal::find()?,
    };
    let no_input = if bootstrap.interactive {
        None
    } else {
        Some(File::open("/dev/null").context("open /dev/null")?)
    };

    // All that this /proc can tell, before another one is in its place.
    let target = Target::of(bootstrap.target)?;
    let root = if bootstrap.place {
        target.root()?
    } else {
        None
    };
    let elsewhere = bootstrap.workdir.as_ref().is_some_and(|folder| folder.is_absolute());
    let workdir = if bootstrap.place && !elsewhere {
        Some(target.workdir()?)
    } else {
        None
    };
    hide(bootstrap.clone_flags)?;
    if bootstrap.namespaces.iter().any(|(flag, _)| *flag == CloneFlags::CLONE_NEWUSER) {
        leave_groups()?;
    }
    join(target, &bootstrap.namespaces, bootstrap.one_by_one)?;
    go_to(root.as_ref(), workdir.as_ref())?;
    if let Some(folder) = &bootstrap.workdir {
        env::set_current_dir(folder).with_context(|| format!("chdir to {}", folder.display()))?;
    }
    must_be_inside()?;

    let flags = bootstrap.clone_flags | CloneFlags::CLONE_PARENT;
    let init =
        clone_process(flags, || match init(pipe, &bootstrap, &terminal, no_input.as_ref()) {
            Ok(never) => match never {},
            Err(error) => errors::report(&error),
        });
    let init = init.map_err(|errno| match errno {
        Errno::ENOMEM => anyhow!(
            "clone INIT: {}: a PID namespace whose PID 1 has ended takes nobody in",
            errno.desc()
        ),
        _ => anyhow!("clone INIT: {}: {}", errno.desc(), why::namespaces(flags, errno)),
    })?;
    info!("cloned INIT: {init} out here; reporting that, and leaving");
    pipe.report(init)?;
    process::exit(0)
}

/// Nobody inside may look into this process or trace it, not even root there: until the
/// execve(2), its memory and what it has open are the host's (CVE-2016-9962). The parent may
/// write no map of such a process; but one in a user namespace of its own is safe without.
fn hide(clone_flags: CloneFlags) -> anyhow::Result<()> {
    let visible = clone_flags.contains(CloneFlags::CLONE_NEWUSER);
    prctl::set_dumpable(visible).context("prctl PR_SET_DUMPABLE")
}

/// The caller's supplementary groups mean something outside only, and an ordinary user's
/// container has no right to drop them later (user_namespaces(7), setgroups).
fn leave_groups() -> anyhow::Result<()> {
    match setgroups(&[]) {
        Err(Errno::EPERM) => Ok(()), // an ordinary user's are the container's too
        other => other.context("setgroups to none"),
    }
}
// ANCHOR_END: child

// ANCHOR: join
/// Joins the namespaces of the target: all at once through the pidfd (Linux 5.8), or one by
/// one through the files, the user namespace first. It makes this process one that has all
/// capabilities in it, and the others ask for them.
///
/// # Errors
///
/// EPERM without CAP_SYS_ADMIN where it is needed; the target has ended.
pub fn join(
    target: Target,
    namespaces: &[(CloneFlags, PathBuf)],
    one_by_one: bool,
) -> anyhow::Result<()> {
    // ANCHOR: exercise-join
    let open = |(flag, file): &(CloneFlags, PathBuf)| anyhow::Ok((*flag, open(file)?));
    let files = namespaces.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let target = target.still_alive()?; // so these files are its own
    let flags = namespaces.iter().fold(CloneFlags::empty(), |all, (flag, _)| all | *flag);
    if !one_by_one && !flags.is_empty() {
        match setns(target.pidfd(), flags) {
            Ok(()) => {
                info!("joined, by the pidfd: {}", namespace_names(flags));
                return Ok(());
            }
            Err(Errno::EINVAL) => {
                info!(
                    "setns takes no pidfd for these, or none at all (before Linux 5.8): one by one"
                )
            }
            Err(errno) => return Err(refused(flags, errno)),
        }
    }
    for (flag, file) in files {
        setns(file, flag).map_err(|errno| refused(flag, errno))?;
        info!("joined: {}", namespace_names(flag));
    }
    // ANCHOR_END: exercise-join
    Ok(())
}

fn open(file: &Path) -> anyhow::Result<File> {
    File::open(file).with_context(|| format!("open {}", file.display()))
}

fn refused(flags: CloneFlags, errno: Errno) -> anyhow::Error {
    let reason = match errno {
        Errno::EPERM => {
            "it takes CAP_SYS_ADMIN in one's own user namespace and in the one that owns it: \
             join that too (--user, or --all without --clone user)"
        }
        Errno::ESRCH => "the target has ended",
        Errno::EINVAL => {
            "a PID namespace must be below one's own, and a user namespace another than one's own"
        }
        _ => "see setns(2)",
    };
    anyhow!("setns: {}: {}: {reason}", namespace_names(flags), errno.desc())
}
// ANCHOR_END: join

// ANCHOR: place
/// Goes where the target is: into its root folder, and its working directory.
fn go_to(root: Option<&File>, workdir: Option<&File>) -> anyhow::Result<()> {
    if let Some(root) = root {
        fchdir(root).context("fchdir to the target's root")?;
        chroot(".").context("chroot to the target's root")?;
    }
    if let Some(workdir) = workdir {
        fchdir(workdir).context("fchdir to the target's working directory")?;
    }
    Ok(())
}

/// A working directory that the root does not contain is a way out, with `..` from there
/// (CVE-2024-21626): the kernel knows no path to it, and getcwd(2) says so.
fn must_be_inside() -> anyhow::Result<()> {
    // ANCHOR: exercise-inside
    let is_inside = env::current_dir().is_ok_and(|path| path.is_absolute());
    // ANCHOR_END: exercise-inside
    ensure!(
        is_inside,
        "the working directory is outside of the root, or was deleted: say --workdir /"
    );
    Ok(())
}
// ANCHOR_END: place

// ANCHOR: init
/// INIT: waits until the parent has done its part, and becomes the command.
fn init(
    pipe: &InitPipe,
    bootstrap: &Bootstrap,
    terminal: &Terminal,
    no_input: Option<&File>,
) -> anyhow::Result<Infallible> {
    voice::speak_as("init");
    name_process("nsenter:INIT")?;
    die_with_parent()?;
    pipe.wait_at_gate()?;
    info!("PID {} in here", getpid());
    terminal.take()?;
    if let Some(null) = no_input {
        dup2_stdin(null).context("dup2 /dev/null to standard input")?;
    }
    let is_new = |flag| bootstrap.clone_flags.contains(flag);
    if is_new(CloneFlags::CLONE_NEWNS) {
        make_private()?;
        if is_new(CloneFlags::CLONE_NEWPID) {
            mount_proc(Path::new("/proc"))?;
        }
    }
    if is_new(CloneFlags::CLONE_NEWNET) {
        bring_up_loopback()?;
    }
    become_container(&bootstrap.process)
}
// ANCHOR_END: init
