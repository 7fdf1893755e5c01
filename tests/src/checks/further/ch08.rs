//! Further, chapter 8: the folder in which the command starts.

use super::{Check, Outcome, holds};
use crate::{bench::Bench, checks::ch04::new_rootfs};

pub(super) const CHECKS: &[Check] = &[
    Check {
        chapter: 8,
        name: "--workdir is where the command starts",
        teaches: "a path means something in a root only: this one is the container's, so init follows it, after it has entered the root",
        until: None,
        run: workdir,
    },
    Check {
        chapter: 8,
        name: "--workdir without such a folder is an error",
        teaches: "a command that starts somewhere else than it was told writes its files there: an error of chdir(2) ends init",
        until: None,
        run: no_such_workdir,
    },
];

fn workdir(bench: &Bench) -> anyhow::Result<Outcome> {
    let root = new_rootfs(bench, "root")?;
    let run = bench.run("mkdir", ["-p".as_ref(), root.join("only/inside").as_os_str()]);
    run.finish()?.must_end_with(0)?;
    let words = ["--rootfs", "root", "--workdir", "/only/inside", "--", "sh", "-c", "pwd"];
    bench.stage(words).finish()?.must_end_with(0)?.must_write("/only/inside\n")?;
    holds()
}

fn no_such_workdir(bench: &Bench) -> anyhow::Result<Outcome> {
    let ended = bench.stage(["--workdir", "/no/such/folder", "echo", "ran"]).finish()?.must_end_with(125)?;
    ended.must_complain(&["/no/such/folder"])?.must_write("")?;
    holds()
}
