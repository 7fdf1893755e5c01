//! Chapter 13: INIT, which gives its privileges up inside, is hidden until it is the command.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::unistd::Pid;

use super::{OPEN, Rights};
use crate::{
    checks::{Check, holds},
    named::{call, container_that, exec},
    process::children_of,
    reused::{while_init_is_at, while_pid_1_is_at},
    slow, told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
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
            for options in
                [&["-q"][..], &["-q", "--cap-add", "ALL"], &[&["-q"], &OPEN[..]].concat()]
            {
                let mut running = container_that(bench, "box", options, look)?;
                // The last call before the filter, if there is one, and the execve(2).
                let Some(joined) = slow::start(exec(bench, &["box"], "echo ran"))? else {
                    return Ok(slow::skipped());
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
    ),
    Check::new(
        13,
        "the command does not run before a PID 1 that stays is confined",
        "with --init two processes give up their privileges, and the command may trace the other \
         one: let it go on when PID 1 has given up its own",
        |bench| {
            let run = || call(bench, &["run", "-q", "--init", "--", "true"]);
            run().finish()?.must_end_with(0)?; // the default image is there now
            let Some(running) = slow::start(run())? else {
                return Ok(slow::skipped());
            };
            let program = |pid: Pid| fs::read_link(format!("/proc/{pid}/exe")).ok();
            let is_still_the_stage = |init: Pid| {
                let command = children_of(init)?.first().copied().context("PID 1 has no child")?;
                let start = Instant::now();
                while start.elapsed() < Duration::from_millis(200) {
                    let is_still = program(command) == program(init);
                    ensure!(is_still, "the command runs, and PID 1 has its privileges still");
                    sleep(Duration::from_millis(1));
                }
                Ok(())
            };
            let no_new_privs = libc::PR_SET_NO_NEW_PRIVS;
            while_pid_1_is_at(running.pid(), no_new_privs, bench.bound, is_still_the_stage)?;
            running.finish()?.must_end_with(0)?;
            holds()
        },
    ),
];
