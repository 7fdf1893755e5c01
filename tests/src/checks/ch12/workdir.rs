//! Chapter 12: no folder of the host's goes in with an `exec`.

use std::{
    ffi::{OsStr, OsString},
    fs,
};

use anyhow::Context;

use crate::{
    Bench, Outcome,
    bench::Running,
    checks::{Check, holds},
    named::{container, container_that, exec},
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        12,
        "a working directory outside of the root is refused",
        "from a working directory outside of the root, .. leads to the host (CVE-2024-21626): \
         getcwd(2) tells whether a path leads there; /proc/self is no help where the mounted /proc \
         does not show this process",
        |bench| {
            if let Some(reason) = bench.no_user_namespace()? {
                return Ok(Outcome::Skipped(reason));
            }
            let running = jailed(bench, "outside")?;
            let pid = running.pid().to_string();
            let whole = ["--target", &pid, "--all"];
            for how in [&[][..], &["--one-by-one"], &["--workdir", ".."]] {
                let words = [&whole[..], how].concat();
                let refused = exec(bench, &words, "cat ../../etc/passwd").finish()?;
                refused
                    .must_end_with(125)?
                    .must_write("")?
                    .must_complain(&["working directory is outside"])?;
            }
            let elsewhere = [&whole[..], &["--workdir", "/bin"]].concat();
            let inside = exec(bench, &elsewhere, "pwd").finish()?.must_end_with(0);
            inside.context("with --workdir /bin, which is inside")?.must_write("/bin\n")?;
            running.release()?.must_end_with(0)?;
            // The root is another mount of the folder that the process stays in: a walk up `..`
            // meets the root's inode there, and the C library walks if the kernel has no path.
            let (jail, door) = (bench.folder.join("jail"), bench.folder("door")?);
            let script = "mount --bind \"$1\" \"$2\" && exec \"$3\" jail \"$2\" outside";
            let words = [jail.as_os_str(), door.as_os_str(), bench.other("inside").as_os_str()]
                .map(OsStr::to_owned);
            let run =
                bench.run("sh", ["-c", script, "sh"].map(OsString::from).into_iter().chain(words));
            let run = run.within(&jail.join("bin"));
            let mut running = run.under(&["unshare", "-rm"]).start_waiting()?;
            running.until("ready\n")?;
            let pid = running.pid().to_string();
            let refused = exec(bench, &["--target", &pid, "--all"], "cat ../../jail/in-the-jail");
            refused
                .finish()?
                .must_end_with(125)
                .context("where the root is another mount of the same folder")?
                .must_write("")?
                .must_complain(&["working directory is outside"])?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        12,
        "a working directory that was deleted is refused, and another one is taken",
        "a folder that was deleted has no path in any root: getcwd(2) fails with ENOENT",
        |bench| {
            let script = "mkdir /gone && cd /gone && rmdir /gone && echo up && cat";
            let running = container_that(bench, "box", &["-q"], script)?;
            let refused = exec(bench, &["box"], "pwd").finish()?.must_end_with(125)?;
            refused.must_complain(&["was deleted", "--workdir /"])?.must_write("")?;
            let elsewhere = exec(bench, &["--workdir", "/", "box"], "pwd").finish()?;
            elsewhere.must_end_with(0)?.must_write("/\n")?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        12,
        "a descriptor of a folder of the host's is no working directory",
        "/proc/self/fd leads to what a process has open, whatever its root is: so CHILD must have \
         no folder open",
        |bench| {
            let running = container(bench, "box", &[])?;
            let leaked = exec(bench, &["--workdir", "/proc/self/fd/9", "box"], "pwd");
            let leaked = leaked.under(&["sh", "-c", "exec 9</; exec \"$0\" \"$@\""]);
            let refused = leaked.finish()?.must_end_with(125)?.must_write("")?;
            refused.must_complain(&["chdir to /proc/self/fd/9"])?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
];

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
