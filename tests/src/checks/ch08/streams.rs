//! Chapter 8: what a container gets as standard input, output and error.

use crate::checks::{Check, holds};

pub(super) const CHECKS: &[Check] = &[Check::new(
    8,
    "standard input is passed on only with -i, the terminal only with -t",
    "a container that has your terminal can type into it: give what is asked for",
    |bench| {
        bench
            .stage(["cat"])
            .input("through")
            .finish()?
            .must_end_with(0)?
            .must_write("through")?;
        let rootfs = if bench.stage < 9 {
            &[][..]
        } else {
            &["--rootfs", "/"]
        };
        let words = |command: &[&'static str]| [&["run"], rootfs, &["--"], command].concat();
        bench
            .run(&bench.binary, words(&["cat"]))
            .input("lost")
            .finish()?
            .must_end_with(0)?
            .must_write("")?;
        let ended = bench.stage(["-t", "--", "echo", "ran"]).finish()?.must_end_with(2)?;
        ended.must_complain(&["-t", "no terminal"])?.must_write("")?;
        // The session of its own: the command leads it.
        bench
            .script("cut -d' ' -f6 /proc/self/stat")
            .finish()?
            .must_end_with(0)?
            .must_write("1\n")?;
        holds()
    },
)];
