//! Chapter 1, bad input: one clear line, the right exit status, nothing left behind.

use std::os::unix::process::CommandExt;

use anyhow::ensure;
use nix::errno::Errno;

use super::{Check, Outcome, holds};
use crate::bench::{Bench, User};

pub(super) const CHECKS: &[Check] = &[
    Check {
        chapter: 1,
        name: "no such command is 127",
        teaches: "execve(2) fails in the child: its error goes back through a close-on-exec pipe, and the parent says it once",
        until: None,
        run: not_found,
    },
    Check {
        chapter: 1,
        name: "a command that cannot be executed is 126",
        teaches: "EACCES and ENOEXEC say that the file is there; so does ENOENT when the interpreter is what is missing",
        until: None,
        run: not_executable,
    },
    Check {
        chapter: 1,
        name: "a hostname is 1 to 64 bytes",
        teaches: "refuse before anything is cloned what can be known before: the kernel would take an empty name",
        until: None,
        run: hostnames,
    },
    Check {
        chapter: 1,
        name: "an unknown option is 2",
        teaches: "bad usage has an exit status of its own, so that a script can tell it from the command's",
        until: None,
        run: unknown_option,
    },
    Check {
        chapter: 1,
        name: "a namespace limit is named (ENOSPC)",
        teaches: "clone(2) says ENOSPC when a limit under /proc/sys/user is reached, and means no disk",
        until: None,
        run: namespace_limit,
    },
    Check {
        chapter: 1,
        name: "root without CAP_SYS_ADMIN is told so",
        teaches: "uid 0 is not a privilege, capabilities are: in a container root may have lost the one that is needed",
        until: Some((5, "a user namespace needs no capability")),
        run: root_without_capability,
    },
];

fn not_found(bench: &Bench) -> anyhow::Result<Outcome> {
    for command in ["no-such-command", "/no/such/command", "./no-such-command"] {
        let ended = bench.stage(["--", command]).finish()?.must_end_with(127)?;
        ended.must_complain(&[command, "not found"])?.must_write("")?;
    }
    bench.stage(["--", ""]).finish()?.must_end_with(127)?;
    let ended = bench.stage(["-q", "--", "no-such-command"]).finish()?.must_end_with(127)?;
    ensure!(ended.errors.lines().count() == 1, "the error is not one line: {:?}", ended.errors);
    holds()
}

fn not_executable(bench: &Bench) -> anyhow::Result<Outcome> {
    bench.file("plain", "no program", 0o644)?;
    bench.file("orphan", "#!/no/such/interpreter\n", 0o755)?;
    bench.stage(["--", "./plain"]).finish()?.must_end_with(126)?.must_complain(&["./plain"])?;
    bench.stage(["--", "/"]).finish()?.must_end_with(126)?.must_complain(&["exec /"])?;
    bench.stage(["--", "./orphan"]).finish()?.must_end_with(126)?.must_complain(&["./orphan", "interpreter"])?;
    holds()
}

fn hostnames(bench: &Bench) -> anyhow::Result<Outcome> {
    for wrong in [String::new(), "x".repeat(65)] {
        let ended = bench.stage(["--hostname", &wrong, "echo", "ran"]).finish()?.must_end_with(2)?;
        ensure!(ended.errors.contains("hostname has at"), "it says {:?}", ended.errors);
        ensure!(!ended.errors.contains("cloning"), "something was cloned first");
        ended.must_write("")?;
    }
    holds()
}

fn unknown_option(bench: &Bench) -> anyhow::Result<Outcome> {
    let ended = bench.stage(["--no-such-option"]).finish()?.must_end_with(2)?;
    ensure!(ended.errors.contains("--no-such-option"), "it says {:?}", ended.errors);
    holds()
}

/// The limits are per user namespace, so a new one has limits that nobody else uses.
fn namespace_limit(bench: &Bench) -> anyhow::Result<Outcome> {
    if let Some(reason) = bench.no_user_namespace()? {
        return Ok(Outcome::Skipped(reason));
    }
    let limits: &[&str] = if bench.stage < 5 { &["uts"] } else { &["user", "uts"] };
    for limit in limits {
        let set = format!("echo 0 > /proc/sys/user/max_{limit}_namespaces && exec \"$0\" \"$@\"");
        let ended = bench.stage(["echo", "ran"]).under(&["unshare", "-r", "sh", "-c", &set]).finish()?;
        let words = ["max_", "namespaces"];
        ended.must_end_with(125)?.must_complain(&words)?.must_write("")?;
    }
    holds()
}

fn root_without_capability(bench: &Bench) -> anyhow::Result<Outcome> {
    if bench.user == User::Ordinary {
        return Ok(Outcome::Holds); // it is about root
    }
    let run = bench.stage(["echo", "ran"]).with(|command| {
        // SAFETY: prctl is async-signal-safe, and takes numbers here.
        unsafe {
            command.pre_exec(|| {
                const CAP_SYS_ADMIN: libc::c_ulong = 21;
                Errno::result(libc::prctl(libc::PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0))?;
                Ok(())
            });
        }
    });
    run.finish()?.must_end_with(125)?.must_complain(&["CAP_SYS_ADMIN"])?.must_write("")?;
    holds()
}
