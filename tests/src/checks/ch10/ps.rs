//! Chapter 10: `ps` lists what runs.

use anyhow::ensure;

use crate::{
    bench::Running,
    checks::{Check, holds},
    named::{call, container_that, entry, exec, must_list, nobody_stays_but},
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        10,
        "ps lists what runs, and nothing of another PID namespace",
        "a pid means something in one PID namespace: the entry names that namespace, and from \
         another one you cannot tell whether the process runs",
        |bench| {
            must_list(bench, &[])?;
            let one = container_that(bench, "one", &[], "echo up; exec cat")?;
            let two = container_that(bench, "two", &[], "echo up; exec cat")?;
            let expected = [row("one", &one)?, row("two", &two)?];
            must_list(bench, &expected)?;
            // A run in another PID namespace leaves the entries alone.
            let runtime = format!("XDG_RUNTIME_DIR={}", bench.temporary().display());
            let words = ["run", "-q", "--rootfs", "/", "-e", &runtime, "--"];
            let stage = bench.binary.display().to_string();
            let elsewhere = call(bench, &[&words[..], &[&stage, "ps"]].concat());
            let elsewhere = elsewhere.finish()?.must_end_with(0)?.text();
            ensure!(
                elsewhere.lines().count() == 1,
                "elsewhere ps lists {elsewhere}",
                elsewhere = told(&elsewhere)
            );
            must_list(bench, &expected)?;
            one.release()?.must_end_with(0)?;
            must_list(bench, &expected[1..])?;
            two.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "ps clears what a SIGKILL left",
        "an entry whose processes have ended is left over: the next reader removes it",
        |bench| {
            let one = container_that(bench, "one", &[], "echo up; exec cat")?;
            let two = container_that(bench, "two", &[], "echo up; exec cat")?;
            let expected = [row("two", &two)?];
            one.kill_runtime()?;
            one.finish()?.must_end_with(137)?;
            nobody_stays_but(&two)?;
            ensure!(entry(bench, "one").exists(), "a SIGKILL lets nobody clear up");
            let gone = call(bench, &["kill", "one"]).finish()?.must_end_with(125)?;
            gone.must_complain(&["one has ended", "is gone"])?;
            must_list(bench, &expected)?;
            ensure!(!entry(bench, "one").exists(), "ps has left the entry");
            two.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "a container is found, whatever its program calls itself",
        "a program gives itself any name (PR_SET_NAME, prctl(2)), and one that is no UTF-8, too: \
         read /proc/PID/stat and /proc/PID/status as bytes",
        |bench| {
            let running = container_that(bench, "box", &["--rootfs", "/"], RENAMES_ITSELF)?;
            let listed = call(bench, &["ps"]).finish()?.must_end_with(0)?.text();
            ensure!(listed.contains("\nbox "), "ps lists {listed}", listed = told(&listed));
            if bench.stage >= 11 {
                exec(bench, &["box"], "true").finish()?.must_end_with(0)?;
            }
            call(bench, &["kill", "box", "--signal", "KILL"]).finish()?.must_end_with(0)?;
            running.finish()?.must_end_with(137)?;
            holds()
        },
    ),
];

/// A byte that is in no UTF-8, and what could be taken for the end of the name.
const RENAMES_ITSELF: &str = r"printf '\377) Z 1' > /proc/$$/comm; echo up; read line";

/// A line of the table.
fn row(name: &str, running: &Running) -> anyhow::Result<Vec<String>> {
    Ok(vec![name.to_owned(), running.command()?.to_string(), "cat".to_owned()])
}
