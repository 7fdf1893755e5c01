//! Chapter 13: INIT, which gives its privileges up inside, is hidden until it is the command.

use anyhow::ensure;

use super::{OPEN, Rights};
use crate::{
    Outcome,
    checks::{Check, holds},
    named::{container_that, exec},
    reused::while_init_is_at,
    slow, told,
};

pub(super) const CHECKS: &[Check] = &[Check::new(
    13,
    "nobody inside can look into INIT while it gives its privileges up",
    "a process that has no more capabilities than root inside is protected by \
         PR_SET_DUMPABLE 0 alone, until its execve(2) (CVE-2016-9962): do not set it back",
    |bench| {
        let look = "echo up
        while read line; do
            for process in /proc/[0-9]*; do
                [ \"$(cat $process/comm)\" = nsenter:INIT ] || continue
                echo seen
                for link in $process/exe $process/root $process/fd/[0-9]*; do
                    readlink $link >/dev/null 2>&1 && echo $link
                done
            done
            echo looked
        done";
        for options in [&["-q"][..], &["-q", "--cap-add", "ALL"], &[&["-q"], &OPEN[..]].concat()] {
            let mut running = container_that(bench, "box", options, look)?;
            // The last call before the filter, if there is one, and the execve(2).
            let joined = exec(bench, &["box"], "echo ran").with(slow::trace).start();
            let joined = match joined {
                Err(error) if slow::is_refused(&error) => {
                    return Ok(Outcome::Skipped(slow::REFUSED.into()));
                }
                joined => joined?,
            };
            while_init_is_at(joined.pid(), libc::PR_SET_NO_NEW_PRIVS, bench.bound, |init| {
                let (own, theirs) = (Rights::of(init)?, Rights::of(running.command()?)?);
                ensure!(own.sets == theirs.sets, "INIT still has {own}, and PID 1 {theirs}");
                running.say("look\n")?;
                running.until("looked\n")
            })?;
            joined.finish()?.must_end_with(0)?.must_write("ran\n")?;
            let text = running.output();
            ensure!(
                text == "up\nseen\nlooked\n",
                "with {options}, a process inside could look into INIT: {text}",
                options = told(&options),
                text = told(&text)
            );
            running.release()?.must_end_with(0)?;
        }
        holds()
    },
)];
