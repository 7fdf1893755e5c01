//! Chapter 11: the command stands where the target stands.

use crate::{
    Outcome,
    checks::{Check, ch12::workdir::jailed, holds},
    named::{container_that, exec},
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        11,
        "the target's own root is the command's",
        "setns(2) puts you at the root of the mount namespace; the target may have changed its \
         root with chroot(2)",
        |bench| {
            if let Some(reason) = bench.no_user_namespace()? {
                return Ok(Outcome::Skipped(reason));
            }
            let running = jailed(bench, "/bin")?;
            let pid = running.pid().to_string();
            for how in [&["--all"][..], &["--all", "--one-by-one"]] {
                let run =
                    exec(bench, &[&["--target", &pid], how].concat(), "cat /in-the-jail; pwd");
                run.finish()?.must_end_with(0)?.must_write("jailed\n/bin\n")?;
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        11,
        "a target in the caller's user namespace keeps its ids",
        "the outer ids of a map count in the reader's user namespace only if the reader is in \
         another one than the target",
        |bench| {
            if let Some(reason) = bench.no_user_namespace()? {
                return Ok(Outcome::Skipped(reason));
            }
            let stage = bench.binary.display();
            // It is in its own network when it says so.
            // It is in its own network when the file is there.
            let script = format!(
                "unshare -n sh -c 'echo >ready; exec sleep 1000' &
                 until [ -s ready ]; do sleep 0.01; done
                 {stage} exec -q --target $! --all -- id -u; kill $!"
            );
            let ended = bench.run("sh", ["-c", &script]).under(&["unshare", "-r"]).finish()?;
            ended.must_end_with(0)?.must_write("0\n")?;
            holds()
        },
    ),
    Check::new(
        11,
        "a target whose working directory nobody may read can be joined",
        "to be in a folder takes no permission to read it: open it with O_PATH",
        |bench| {
            let script = "mkdir /closed && cd /closed && chmod 0 . && echo up && cat";
            let running = container_that(bench, "box", &["-q"], script)?;
            for how in [&["box"][..], &["--one-by-one", "box"]] {
                exec(bench, how, "pwd").finish()?.must_end_with(0)?.must_write("/closed\n")?;
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
];
