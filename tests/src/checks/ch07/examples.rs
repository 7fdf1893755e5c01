//! Chapter 7: the examples beside its stage.

use std::{fs, path::PathBuf, thread::sleep, time::Duration};

use anyhow::{Context, ensure};
use nix::sys::signal::Signal;

use crate::{
    Bench, Outcome, User, cgroups,
    checks::{Check, holds},
    repetitions, told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        7,
        "the example `show` prints the hierarchies that the process sits in",
        "read /proc/self/mountinfo for where the hierarchies are mounted, and /proc/self/cgroup \
         for your group in each",
        |bench| {
            let show = match example(bench, "show") {
                Ok(file) => file,
                Err(skipped) => return Ok(skipped),
            };
            let none: [&str; 0] = [];
            let text = bench.run(show, none).finish()?.must_end_with(0)?.text();
            let own = cgroups::with("memory")?;
            let place = own.mount_point.display().to_string();
            let line = text.lines().find(|line| line.contains(&place));
            let line = line.with_context(|| format!("no word of {place} in {text}"))?;
            let version = if own.is_v2 { "v2" } else { "v1" };
            ensure!(line.starts_with(version) && line.contains("memory"), "{line}");
            let group = own.group_of("self")?;
            let group = group.strip_prefix(&own.mount_point)?.display().to_string();
            ensure!(line.contains(&format!("group /{group}")), "{line}: not in /{group}");
            holds()
        },
    )
    .until(8, "an example of chapter 7 alone")
    .not_in_the_workshop(),
    Check::new(
        7,
        "the example `named_hierarchy` makes one without a controller, and removes it",
        "remove all groups before the last unmount: else a v1 hierarchy stays",
        |bench| {
            let named_hierarchy = match example(bench, "named_hierarchy") {
                Ok(file) => file,
                Err(skipped) => return Ok(skipped),
            };
            let none: [&str; 0] = [];
            let run = || bench.run(&named_hierarchy, none);
            if bench.user == User::Ordinary {
                run().finish()?.must_end_with(125)?.must_complain(&["only root"])?;
                return holds();
            }
            let kinds = fs::read_to_string("/proc/filesystems")?;
            if !kinds.lines().any(|line| line.ends_with("\tcgroup")) {
                run().finish()?.must_end_with(125)?.must_complain(&["no cgroup v1"])?;
                return holds();
            }
            let hierarchies = || fs::read_to_string("/proc/self/cgroup");
            let before = hierarchies()?;
            let text = run().finish()?.must_end_with(0)?.text();
            ensure!(
                text.contains(":name=cgroup-test:/cgroup-1\n"),
                "it shows {text}",
                text = told(&text)
            );
            ensure!(hierarchies()? == before, "the hierarchy is still there");
            // A signal in its first moments, or a moment later: it is removed all the same.
            for step in 0..repetitions(30) {
                let running = run().start()?;
                sleep(Duration::from_micros(u64::from(step) * 300));
                running.signal(Signal::SIGTERM)?;
                let status = running.finish()?.status();
                ensure!([0, 143].contains(&status), "a SIGTERM, and it ends with {status}");
                ensure!(hierarchies()? == before, "a SIGTERM, and the hierarchy is still there");
            }
            holds()
        },
    )
    .until(8, "an example of chapter 7 alone")
    .not_in_the_workshop(),
    Check::new(
        7,
        "the example `delegate` gives an ordinary user groups to limit in",
        "on version 1 give the user a group in each hierarchy, and its cgroup.procs: the user can \
         make groups below it, and move own processes there",
        |bench| {
            let delegate = match example(bench, "delegate") {
                Ok(file) => file,
                Err(skipped) => return Ok(skipped),
            };
            let stage = bench.binary.display().to_string();
            let names = "s/.*:memory:.*\\(delegated-\\)[0-9]*\\(.container-\\).*/\\1\\2/p";
            let script = format!("id -un; sed -n '{names}' /proc/self/cgroup");
            let words = ["nobody", &stage, "-q", "-m", "64m", "--", "sh", "-c", &script];
            let run = bench.run(&delegate, words).finish()?;
            if bench.user == User::Ordinary {
                run.must_end_with(125)?.must_complain(&["only root"])?;
                return holds();
            }
            if !cgroups::memory_is_on_v1()? {
                run.must_end_with(125)?.must_complain(&["systemd-run --user --scope"])?;
                return holds();
            }
            run.must_end_with(0)?.must_write("root\ndelegated-/container-\n")?;
            holds()
        },
    )
    .until(8, "an example of chapter 7 alone")
    .not_in_the_workshop(),
];

/// An example's file, which the judge has put beside the stages, if it was built.
fn example(bench: &Bench, name: &str) -> Result<PathBuf, Outcome> {
    let file = bench.other(name);
    if file.exists() {
        return Ok(file);
    }
    Err(Outcome::Skipped(format!(
        "the example `{name}` is not built: `cargo build --workspace --examples`"
    )))
}
