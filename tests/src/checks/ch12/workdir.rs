//! Chapter 12: no folder of the host's goes in with an `exec`.

use std::fs;

use anyhow::Context;

use crate::{
    Bench, Outcome,
    bench::Running,
    checks::{Check, holds},
    named::{container, exec},
};

pub(super) const CHECKS: &[Check] = &[Check::new(
    12,
    "a working directory outside of the root is refused",
    "from a working directory that the root does not contain, .. leads to the host \
         (CVE-2024-21626): getcwd(2) knows no path to it",
    |bench| {
        if let Some(reason) = bench.no_user_namespace()? {
            return Ok(Outcome::Skipped(reason));
        }
        let running = jailed(bench, "outside")?;
        let pid = running.pid().to_string();
        for how in [&[][..], &["--one-by-one"], &["--workdir", ".."]] {
            let refused =
                exec(bench, &[&["--target", &pid, "--all"], how].concat(), "cat ../../etc/passwd")
                    .finish()?;
            refused
                .must_end_with(125)?
                .must_write("")?
                .must_complain(&["working directory is outside"])?;
        }
        let inside = exec(bench, &["--target", &pid, "--all", "--workdir", "/bin"], "pwd");
        let inside = inside
            .finish()?
            .must_end_with(0)
            .context("with --workdir /bin, which is inside")?;
        inside.must_write("/bin\n")?;
        running.release()?.must_end_with(0)?;
        // A descriptor of a folder of the host is no working directory either: none reaches CHILD.
        let running = container(bench, "box", &[])?;
        let leaked = exec(bench, &["--workdir", "/proc/self/fd/9", "box"], "pwd");
        let leaked = leaked
            .under(&["sh", "-c", "exec 9</; exec \"$0\" \"$@\""])
            .finish()?
            .must_end_with(125)?;
        leaked.must_write("")?.must_complain(&["chdir to /proc/self/fd/9"])?;
        running.release()?.must_end_with(0)?;
        holds()
    },
)];

/// A process in a user namespace of its own that has changed its root to a folder of the bench.
pub(in crate::checks) fn jailed(bench: &Bench, where_it_stays: &str) -> anyhow::Result<Running> {
    let jail = bench.folder("jail")?;
    let root = jail.display().to_string();
    bench.run(bench.other("rootfs"), [&root]).finish()?.must_end_with(0)?;
    fs::write(jail.join("in-the-jail"), "jailed\n")?;
    let run = bench.run(bench.other("inside"), ["jail", &root, where_it_stays]);
    let mut running = run.under(&["unshare", "-r"]).start_waiting()?;
    running.until("ready\n")?;
    Ok(running)
}
