//! Chapter 1, bad input: one clear line, the right exit status, nothing left behind.

use std::os::unix::process::CommandExt;

use anyhow::ensure;
use nix::errno::Errno;

use crate::{
    Outcome, User,
    checks::{Check, holds},
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        1,
        "no such command is 127",
        "execve(2) fails in the child. Send its error to the parent through a close-on-exec pipe; \
         the parent prints it once",
        |bench| {
            for command in ["no-such-command", "/no/such/command", "./no-such-command"] {
                let ended = bench.stage(["--", command]).finish()?.must_end_with(127)?;
                ended.must_complain(&[command, "not found"])?.must_write("")?;
            }
            bench.stage(["--", ""]).finish()?.must_end_with(127)?;
            let ended =
                bench.stage(["-q", "--", "no-such-command"]).finish()?.must_end_with(127)?;
            ended.must_complain(&["no-such-command"])?;
            holds()
        },
    ),
    Check::new(
        1,
        "a command that cannot be executed is 126",
        "EACCES and ENOEXEC mean that the file exists. ENOENT can mean that too, when only the \
         script's interpreter or the loader is missing",
        |bench| {
            let plain = bench.file("plain", "no program", 0o644)?.display().to_string();
            let orphan = bench.file("orphan", "#!/no/such/interpreter\n", 0o755)?;
            let orphan = orphan.display().to_string();
            bench
                .stage(["--", &plain])
                .finish()?
                .must_end_with(126)?
                .must_complain(&[&plain])?;
            bench
                .stage(["--", "/"])
                .finish()?
                .must_end_with(126)?
                .must_complain(&["exec /"])?;
            bench
                .stage(["--", &orphan])
                .finish()?
                .must_end_with(126)?
                .must_complain(&[&orphan, "interpreter"])?;
            holds()
        },
    ),
    Check::new(
        1,
        "a hostname is 1 to 64 bytes",
        "check the name before you clone: sethostname(2) accepts an empty name, and refuses a long \
         one only in the child",
        |bench| {
            for wrong in [String::new(), "x".repeat(65)] {
                let ended = bench
                    .stage(["--hostname", &wrong, "echo", "ran"])
                    .finish()?
                    .must_end_with(2)?;
                ensure!(!ended.errors.contains("cloning"), "something was cloned first");
                ended.must_complain(&["hostname has at"])?.must_write("")?;
            }
            holds()
        },
    ),
    Check::new(
        1,
        "an unknown option is 2",
        "bad usage has its own exit status, 2, so that a script can tell it from the command's \
         status",
        |bench| {
            let ended = bench.stage(["--no-such-option"]).finish()?.must_end_with(2)?;
            ended.must_complain(&["--no-such-option"])?.must_write("")?;
            let ended = bench.stage(["--hostnam=box", "true"]).finish()?.must_end_with(2)?;
            ended
                .must_complain(&["'--hostnam'", "did you mean `--hostname`?"])?
                .must_write("")?;
            holds()
        },
    ),
    Check::new(
        1,
        "a namespace limit is named (ENOSPC)",
        "clone(2) returns ENOSPC when a limit in /proc/sys/user is reached; no disk is full. Name \
         the limit",
        |bench| {
            // The limits are per user namespace, so a new one has limits that nobody else uses.
            if let Some(reason) = bench.no_user_namespace()? {
                return Ok(Outcome::Skipped(reason));
            }
            let limits: &[&str] = if bench.stage < 5 {
                &["uts"]
            } else {
                &["user", "uts"]
            };
            for limit in limits {
                let set = format!(
                    "echo 0 > /proc/sys/user/max_{limit}_namespaces && exec \
                     \"$0\" \"$@\""
                );
                let ended = bench
                    .stage(["echo", "ran"])
                    .under(&["unshare", "-r", "sh", "-c", &set])
                    .finish()?;
                let words = ["max_", "namespaces"];
                ended.must_end_with(125)?.must_complain(&words)?.must_write("")?;
            }
            holds()
        },
    ),
    Check::new(
        1,
        "root without CAP_SYS_ADMIN is told so",
        "uid 0 alone is not a privilege, capabilities are: root in a container may lack \
         CAP_SYS_ADMIN. Name the capability",
        |bench| {
            let run = bench.stage(["echo", "ran"]).with(|command| {
                // SAFETY: prctl with PR_CAPBSET_DROP takes numbers: no lock, no allocation.
                unsafe {
                    command.pre_exec(|| {
                        const CAP_SYS_ADMIN: libc::c_ulong = 21;
                        Errno::result(libc::prctl(libc::PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0))?;
                        Ok(())
                    });
                }
            });
            run.finish()?
                .must_end_with(125)?
                .must_complain(&["CAP_SYS_ADMIN"])?
                .must_write("")?;
            holds()
        },
    )
    .only_as(User::Root)
    .until(5, "a user namespace needs no capability"),
];
