//! Further, chapter 8: the folder in which the command starts.

use super::{Check, holds};
use crate::checks::ch04::new_rootfs;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        8,
        "--workdir is where the command starts",
        "a path means something in a root only: this one is the container's, so init follows it, \
         after it has entered the root",
        |bench| {
            let root = new_rootfs(bench, "root")?;
            let run = bench.run("mkdir", ["-p".as_ref(), root.join("only/inside").as_os_str()]);
            run.finish()?.must_end_with(0)?;
            let words = ["--rootfs", "root", "--workdir", "/only/inside", "--", "sh", "-c", "pwd"];
            bench.stage(words).finish()?.must_end_with(0)?.must_write("/only/inside\n")?;
            holds()
        },
    ),
    Check::new(
        8,
        "--workdir without such a folder is an error",
        "a command that starts somewhere else than it was told writes its files there: an error of \
         chdir(2) ends init",
        |bench| {
            let ended = bench
                .stage(["--workdir", "/no/such/folder", "echo", "ran"])
                .finish()?
                .must_end_with(125)?;
            ended.must_complain(&["/no/such/folder"])?.must_write("")?;
            holds()
        },
    ),
];
