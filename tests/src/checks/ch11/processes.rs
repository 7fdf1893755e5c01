//! Chapter 11: PARENT, CHILD and INIT.

use std::{
    thread::{self, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    Bench, User, cgroups,
    checks::{Check, holds},
    named::{container, container_that, exec},
    patience,
    process::{self, children_of},
    repetitions,
    seccomp::refuse_prctl,
    slow, told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        11,
        "a slow parent of exec changes nothing",
        "INIT must wait at the gate until PARENT has put it into the cgroup and lent it the \
         terminal",
        |bench| {
            let options: &[&str] = if bench.user == User::Root {
                &["-m", "100m"]
            } else {
                &[]
            };
            let running = container(bench, "box", options)?;
            let own = cgroups::seen_inside(bench, running.command()?)?;
            let look = exec(bench, &["box"], "id -u; cat /proc/self/cgroup");
            let Some(inside) = slow::start(look)? else {
                return Ok(slow::skipped());
            };
            slow::hold_back(inside.pid(), bench.bound)?;
            let found = cgroups::lasting(&inside.finish()?.must_end_with(0)?.text());
            ensure!(
                found == format!("0\n{own}"),
                "exec has the id and the groups {found}, PID 1 the groups {own}",
                found = told(&found),
                own = told(&own)
            );
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        11,
        "PARENT, CHILD and INIT are in the process list",
        "prctl(PR_SET_NAME) sets the name that the process list shows",
        |bench| {
            let running = container(bench, "box", &[])?;
            let expected = ["nsenter:PARENT", "nsenter:CHILD", "nsenter:INIT"];
            let mut seen = Vec::new();
            let start = Instant::now();
            // CHILD and INIT live for a few milliseconds: look again and again, and do it again.
            while !expected.iter().all(|name| seen.contains(&(*name).to_owned())) {
                let inside = exec(bench, &["box"], "true").start()?;
                let parent = inside.pid();
                while !process::has_ended(parent) {
                    for pid in children_of(parent).unwrap_or_default().into_iter().chain([parent]) {
                        let name = process::name(pid);
                        if !seen.contains(&name) {
                            seen.push(name);
                        }
                    }
                }
                inside.finish()?.must_end_with(0)?;
                ensure!(
                    start.elapsed() < patience(Duration::from_secs(10)),
                    "of {expected} only these were seen: {seen}",
                    expected = told(&expected),
                    seen = told(&seen)
                );
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        11,
        "CHILD killed at any moment ends exec, and nothing waits for it",
        "INIT has CHILD's end of the channel, too: so the end of CHILD shows by its pidfd, not by \
         the channel's end of file",
        |bench| {
            let running = container(bench, "box", &["-q"])?;
            let mut killed = 0;
            for round in (0..60).step_by(60 / repetitions(60) as usize) {
                let inside = exec(bench, &["box"], "exit 7").start()?;
                let child = loop {
                    let found = children_of(inside.pid())
                        .unwrap_or_default()
                        .into_iter()
                        .find(|pid| process::name(*pid) == "nsenter:CHILD");
                    let ended = process::has_ended(inside.pid());
                    if found.is_some() || ended {
                        break found;
                    }
                };
                thread::sleep(Duration::from_micros(50 * round));
                if let Some(child) = child {
                    // It may have left between this look and the signal: then the pid is free.
                    let _ = kill(child, Signal::SIGKILL);
                }
                match inside.finish()?.status() {
                    7 => {}
                    137 | 125 => killed += 1,
                    status => ensure!(false, "status {status}"),
                }
            }
            ensure!(killed > 0, "CHILD was never killed in time: nothing was proven");
            running.release()?.must_end_with(0)?;
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        11,
        "nobody inside can look into INIT before it is the command",
        "until its execve, INIT has the host's memory and descriptors: PR_SET_DUMPABLE 0 keeps \
         root inside out of them (CVE-2016-9962)",
        |bench| {
            must_not_be_seen(bench, &[])?;
            // It is in the container all the same.
            must_not_be_seen(bench, &["--user", "--mount", "--pid", "--clone", "uts"])?;
            let running = container(bench, "box", &["-q"])?;
            let refused = exec(bench, &["box"], "echo ran")
                .with(refuse_prctl(libc::PR_SET_DUMPABLE, Errno::EPERM)?)
                .finish()?
                .must_end_with(125);
            let refused = refused.context("where the kernel refuses PR_SET_DUMPABLE")?;
            refused.must_write("")?.must_complain(&["not permitted"])?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    )
    .privileged(),
];

/// Root inside looks into INIT, which joins so much of the container, or all if nothing is said.
fn must_not_be_seen(bench: &Bench, joined: &[&str]) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        ensure!(
            start.elapsed() < patience(Duration::from_secs(20)),
            "INIT was never seen at the gate"
        );
        let mut running = container_that(bench, "box", &["-q"], LOOK)?;
        let pid = running.command()?.to_string();
        let whole = ["box"];
        let target = [&["--target", &pid], joined].concat();
        let how = if joined.is_empty() {
            &whole[..]
        } else {
            &target
        };
        // INIT waits for its parent: if that stops, there is time to look.
        let inside = exec(bench, how, "true").start()?;
        let waits = stopped_at_the_gate(inside.pid())?;
        if waits.is_some() {
            running.say("look\n")?;
            running.until("looked\n")?;
        }
        // Else the gate was open already when its parent stopped: it was too late.
        let is_seen = waits.is_some_and(|init| process::name(init) == "nsenter:INIT");
        inside.signal(Signal::SIGCONT)?;
        inside.finish()?.must_end_with(0)?;
        let text = running.output();
        running.release()?.must_end_with(0)?;
        if is_seen {
            ensure!(
                text.starts_with("up\nseen\n") && text.ends_with("\nlooked\n"),
                "the process inside did not see INIT: {}",
                told(&text)
            );
            ensure!(
                text == "up\nseen\nlooked\n",
                "a process inside could look into INIT, with {joined}: {text}",
                joined = told(&how),
                text = told(&text)
            );
            return Ok(());
        }
    }
}

/// What root inside does at a word: names what it can open of INIT.
const LOOK: &str = "
    echo up
    while read line; do
        for process in /proc/[0-9]*; do
            [ \"$(cat $process/comm)\" = nsenter:INIT ] || continue
            echo seen
            for link in $process/exe $process/root $process/fd/[0-9]*; do
                readlink $link >/dev/null 2>&1 && echo $link
            done
        done
        echo looked
    done
";

/// Stops the parent of an exec while its INIT waits for it; `None` if it was too late for that.
fn stopped_at_the_gate(parent: Pid) -> anyhow::Result<Option<Pid>> {
    loop {
        let children = children_of(parent).unwrap_or_default();
        let Some(init) = children.into_iter().find(|pid| process::name(*pid) == "nsenter:INIT")
        else {
            if !process::has_ended(parent) {
                continue;
            }
            return Ok(None);
        };
        kill(parent, Signal::SIGSTOP)?;
        sleep(patience(Duration::from_millis(20))); // to become the command, if it could
        return Ok((process::name(init) == "nsenter:INIT").then_some(init));
    }
}
