//! How do chapters 1 to 4 run for an ordinary user?
//!
//! Every namespace but one needs a privilege (CAP_SYS_ADMIN); the user namespace, which
//! gives that privilege to anybody, is the idea of chapter 5. Until then the stages
//! borrow one from util-linux: `unshare --map-root-user` starts the stage again as root
//! of a new user namespace.

use std::{io::ErrorKind, os::unix::process::CommandExt, process::Command};

use anyhow::{Context, bail};
use nix::unistd::{Uid, geteuid};

use crate::{context, diagnose, info};

/// Returns at once for root. For anybody else, executes this stage again, as root of a
/// user namespace that unshare(1) makes; it then returns in that second start.
///
/// # Errors
///
/// There is no unshare(1), or the machine refuses user namespaces.
pub fn become_root() -> anyhow::Result<()> {
    let user = geteuid();
    if user.is_root() {
        return Ok(());
    }
    ask(user)?;
    info!("uid {user} borrows a user namespace (unshare, chapter 5)");
    let mut unshare = Command::new("unshare");
    unshare.arg("--map-root-user").arg("--");
    unshare.arg(std::env::current_exe().context("where is this program's file?")?);
    unshare.args(std::env::args_os().skip(1));
    context::hand_over(&mut unshare, "parent");
    Err(unshare.exec()).context("exec unshare")
}

/// Finds out, by trying, whether unshare(1) can lend a user namespace: asked before the
/// stage becomes unshare(1), because afterwards the error would be in its words.
///
/// # Errors
///
/// As [`become_root`].
pub fn ask(user: Uid) -> anyhow::Result<()> {
    let answer = Command::new("unshare").args(["--map-root-user", "true"]).output();
    match answer {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said
                .lines()
                .next()
                .unwrap_or("it gave no reason")
                .trim_start_matches("unshare: ");
            bail!(
                "uid {user} cannot borrow a user namespace from unshare(1): {said}: {}",
                diagnose::explain_refused_user_namespace()
            )
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!(
                "uid {user} needs unshare(1) for this chapter, and it is not here: install the \
                 package util-linux"
            )
        }
        Err(error) => Err(error).context("run unshare"),
    }
}
