//! Chapter 13: a process that cannot give up what it must does not become the command.

use std::process::Command;

use anyhow::{Context, ensure};
use nix::errno::Errno;

use crate::{
    Bench, Ended,
    checks::{Check, holds},
    named::{call, container, exec},
    seccomp::{refuse, refuse_prctl, refuse_to_set_limits},
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        13,
        "the bounding set comes before the user, and the other sets after",
        "setresuid(2) from root to another user clears the other sets, and with them the right to \
         cut the bounding set: cut it before, and set the others after",
        |bench| {
            // Of two steps that fail, the error is the first one's: this shows their order, also
            // to a user whose containers have one id.
            let running = container(bench, "box", &["-q"])?;
            let bounding = refuse_prctl(libc::PR_CAPBSET_DROP, Errno::EPERM)?;
            let ended = as_nobody(bench, bounding)?;
            ensure!(
                !ended.errors.contains(NO_SUCH_ID),
                "the bounding set cannot be cut, and the user was changed before that: {}",
                ended.errors
            );
            let others = refuse(&[libc::SYS_capset], Errno::EPERM)?;
            let ended = as_nobody(bench, others)?;
            ensure!(
                ended.errors.contains(NO_SUCH_ID),
                "there is no such user, and the sets were changed before that: {}",
                ended.errors
            );
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        13,
        "a step that the kernel refuses ends the start",
        "a command that could not give up a right would run with it, or as root: return each \
         error, and the start ends with it",
        |bench| {
            // With --init it is PID 1 that is refused first.
            for init in [&[][..], &["--init"]] {
                must_be_refused("the bounding set", || {
                    run(bench, init, refuse_prctl(libc::PR_CAPBSET_DROP, Errno::EPERM)?)
                })?;
                must_be_refused("the other sets", || {
                    run(bench, init, refuse(&[libc::SYS_capset], Errno::EPERM)?)
                })?;
                must_be_refused("no_new_privs", || {
                    let no_new_privs = refuse_prctl(libc::PR_SET_NO_NEW_PRIVS, Errno::EPERM)?;
                    run(bench, &[init, &["--seccomp", "unconfined"]].concat(), no_new_privs)
                })?;
                must_be_refused("the filter", || {
                    run(bench, init, refuse(&[libc::SYS_seccomp], Errno::EPERM)?)
                })?;
                must_be_refused("a limit", || {
                    run(
                        bench,
                        &[init, &["--ulimit", "nofile=64:64"]].concat(),
                        refuse_to_set_limits(Errno::EPERM)?,
                    )
                })?;
            }
            let running = container(bench, "box", &["-q"])?;
            as_nobody(bench, |_| ())?.must_complain(&[NO_SUCH_ID])?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
];

/// `exec` as a user that no container has here: the maps end below it. It must be refused.
fn as_nobody(bench: &Bench, refuses: impl FnOnce(&mut Command)) -> anyhow::Result<Ended> {
    let run = exec(bench, &["--as", "70000:70000", "box"], "echo ran").with(refuses);
    let ended = run.finish()?.must_end_with(125).and_then(|ended| ended.must_write(""));
    ended.context("exec as a user that the container does not have")
}

/// What chapter 5 says of such an id.
const NO_SUCH_ID: &str = "_map does not contain it";

/// A run with these options, where the kernel refuses something.
fn run(
    bench: &Bench,
    options: &[&str],
    refuses: impl FnOnce(&mut Command),
) -> anyhow::Result<Ended> {
    let words = [&["run", "-q"], options, &["--", "echo", "ran"]].concat();
    call(bench, &words).with(refuses).finish()
}

/// It must end with one line, and run nothing.
fn must_be_refused(what: &str, run: impl FnOnce() -> anyhow::Result<Ended>) -> anyhow::Result<()> {
    let refused = || -> anyhow::Result<()> {
        run()?.must_end_with(125)?.must_write("")?.must_complain(&["not permitted"])?;
        Ok(())
    };
    refused().with_context(|| format!("where the kernel refuses {what}"))
}
