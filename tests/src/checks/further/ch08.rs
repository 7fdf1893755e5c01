//! Further, chapter 8: the folder in which the command starts.

use super::{Check, holds};
use crate::checks::ch04::new_rootfs;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        8,
        "--workdir is where the command starts",
        "a path has a meaning only in a root: change to the folder in init, after it has entered \
         the container's root",
        |bench| {
            let root = new_rootfs(bench, "root")?;
            let run = bench.run("mkdir", ["-p".as_ref(), root.join("only/inside").as_os_str()]);
            run.finish()?.must_end_with(0)?;
            let words = ["--rootfs", "root", "--workdir", "/only/inside", "--", "sh", "-c", "pwd"];
            for init in [&[][..], &["--init"]] {
                let run = bench.stage(init.iter().chain(&words));
                run.finish()?.must_end_with(0)?.must_write("/only/inside\n")?;
            }
            holds()
        },
    ),
    Check::new(
        8,
        "--workdir without such a folder is an error",
        "let an error of chdir(2) end init: a command that starts in another folder writes \
         its files there",
        |bench| {
            new_rootfs(bench, "root")?;
            // In a root of its own, the folder that a wrong answer makes is not the host's.
            let words = ["--rootfs", "root", "--workdir", "/no/such/folder", "--", "sh", "-c"];
            let ended = bench.stage(words.into_iter().chain(["echo ran"])).finish()?;
            let ended = ended.must_end_with(125)?.must_complain(&["/no/such/folder"])?;
            ended.must_write("")?;
            holds()
        },
    ),
];
