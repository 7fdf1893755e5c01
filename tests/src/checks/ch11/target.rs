//! Chapter 11: is it still the same process?

use std::{fs, thread, time::Duration};

use anyhow::{Context, ensure};
use nix::{errno::Errno, sys::signal::Signal};

use crate::{
    Bench, Ended, Outcome, User,
    checks::{Check, holds},
    host::nobody_stays,
    layered,
    named::{call, container, entry, exec, with_other_start},
    namespaces, patience, process, repetitions,
    reused::{self, Sleeper},
    seccomp::refuse,
    slow, told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        11,
        "a target that has ended, or whose pid is another's, is an error",
        "another process may have the pid by now: a pidfd and the start time tell whether it is \
         the same process",
        |bench| {
            let target = bench.run("sleep", ["1000"]).start()?;
            let pid = target.pid().to_string();
            exec(bench, &["--target", &pid, "--net"], "true").finish()?.must_end_with(0)?;
            target.signal(Signal::SIGKILL)?;
            while !process::has_ended(target.pid()) {
                thread::sleep(Duration::from_millis(1));
            }
            // A zombie first, and then nobody.
            let zombie = exec(bench, &["--target", &pid, "--all"], "echo run")
                .finish()?
                .must_end_with(125)?
                .must_write("")?;
            zombie.must_complain(&[&format!("there is no process {pid}, or it has ended")])?;
            target.finish()?.must_end_with(137)?;
            let nobody = exec(bench, &["--target", &pid, "--all"], "echo run")
                .finish()?
                .must_end_with(125)?
                .must_write("")?;
            nobody.must_complain(&[&format!("there is no process {pid}")])?;
            if bench.user == User::Ordinary {
                let others = exec(bench, &["--target", "1", "--all"], "echo run")
                    .finish()?
                    .must_end_with(125)?;
                others
                    .must_write("")?
                    .must_complain(&["process 1 is not yours", "ermission denied"])?;
            }

            // An entry with the pid of a process that started at another time: the pid was reused.
            let running = container(bench, "box", &[])?;
            let text = fs::read_to_string(entry(bench, "box"))?;
            fs::write(entry(bench, "box"), with_other_start(bench, "box", "container")?)?;
            let reused =
                exec(bench, &["box"], "echo run").finish()?.must_end_with(125)?.must_write("")?;
            reused.must_complain(&["box has ended", "another"])?;
            fs::write(entry(bench, "box"), &text)?;
            exec(bench, &["box"], "true").finish()?.must_end_with(0)?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        11,
        "a process that gets the target's pid meanwhile is not joined",
        "a file below /proc/PID is the target's only if its pidfd says afterwards that it still \
         runs: ask it when all files are open",
        |bench| {
            for is_opened in [false, true] {
                // With setns(2) refused, the error is of what comes first: the look at the target.
                for can_join in [true, false] {
                    if let Some(reason) = with_another_at(bench, is_opened, can_join)? {
                        return Ok(Outcome::Skipped(reason));
                    }
                }
            }
            holds()
        },
    )
    // An ordinary user cannot say which pid the next process gets.
    .only_as(User::Root),
    Check::new(
        11,
        "a target that ends meanwhile is joined, or refused in one line",
        "what you found by a pid is the target's only if its pidfd tells afterwards that it still \
         runs",
        |bench| {
            for how in [&["box"][..], &["--one-by-one", "box"]] {
                for step in (0..16).step_by(16 / repetitions(16) as usize) {
                    let running = container(bench, "box", &["-q"])?;
                    let theirs = namespaces::of(running.command()?)?;
                    let inside =
                        exec(bench, how, &format!("{}; exit 7", namespaces::script())).start()?;
                    thread::sleep(patience(Duration::from_millis(1)) * step);
                    running.signal(Signal::SIGKILL)?;
                    let ended = inside.finish()?;
                    match ended.status() {
                        7 => {
                            let found = namespaces::read_from(&ended.text())?;
                            ensure!(
                                found == theirs,
                                "it is in {found}, not in {theirs}",
                                found = told(&found),
                                theirs = told(&theirs)
                            );
                        }
                        137 => {} // it was in the container when that ended
                        125 => drop(ended.must_write("")?.must_complain(&[": "])?),
                        status => ensure!(false, "status {status}; it said {}", ended.errors),
                    }
                    running.finish()?.must_end_with(137)?;
                    nobody_stays()?;
                }
            }
            call(bench, &["ps"]).finish()?.must_end_with(0)?; // clears what was killed
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        11,
        "a container that is said to run can be joined",
        "before the container is set up, its process still has the host's root: let init wait \
         until the entry is written",
        |bench| {
            // The image is made first, so that the race below is between entry and set-up only.
            layered::script(bench, &["-q"], "true").finish()?.must_end_with(0)?;
            for _ in 0..repetitions(20) {
                let words = ["run", "-qi", "--name", "box", "--", "sh", "-c", "echo up; cat"];
                let mut running = call(bench, &words).start_waiting()?;
                let ended = loop {
                    let ended: Ended = exec(bench, &["box"], "cat /image-layer4.txt").finish()?;
                    if ended.status() == 0 {
                        break ended;
                    }
                    let said = ["no container is called", "not set up yet"];
                    ensure!(
                        said.iter().any(|words| ended.errors.contains(words)),
                        "exec says {}",
                        ended.errors
                    );
                };
                ended.must_write("4\n")?; // the container's root, and never the host's
                running.until("up\n")?;
                running.release()?.must_end_with(0)?;
            }
            holds()
        },
    )
    .not_in_the_workshop(),
];

/// An `exec` whose target's pid another process gets before its files are looked at, or when the
/// first of them is opened. The reason, if it cannot be tried here.
fn with_another_at(
    bench: &Bench,
    is_opened: bool,
    can_join: bool,
) -> anyhow::Result<Option<String>> {
    let target = Sleeper::new(None).context("a process in a namespace of its own")?;
    let pid = target.pid();
    let words = ["--one-by-one", "--target", &pid.to_string(), "--uts"];
    let run = exec(bench, &words, "echo ran");
    let run = match can_join {
        true => run,
        false => run.with(refuse(&[libc::SYS_setns], Errno::EPERM)?),
    };
    let Some(running) = slow::start(run)? else {
        return Ok(Some(slow::REFUSED.into()));
    };
    let mut another = Err(Errno::EEXIST);
    let replace = || {
        drop(target);
        another = Sleeper::new(Some(pid));
        Ok(())
    };
    let child = running.pid();
    if is_opened {
        let file = format!("/proc/{pid}/ns/uts");
        reused::while_child_opens(child, &file, bench.bound, replace)?;
    } else {
        reused::while_child_is_at(child, libc::PR_SET_DUMPABLE, bench.bound, replace)?;
    }
    let ended = running.finish()?;
    match another {
        Err(Errno::EPERM | Errno::ENOSYS) => {
            ended.must_end_with(125)?;
            return Ok(Some("no process can choose its pid here".into()));
        }
        another => drop(another.context("another process with the target's pid")?),
    }
    ended.must_end_with(125)?.must_write("")?.must_complain(&["has ended"])?;
    Ok(None)
}
