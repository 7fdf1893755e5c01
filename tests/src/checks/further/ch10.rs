//! Further, chapter 10: until a container has ended.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::ensure;
use nix::unistd::Pid;

use super::{Check, holds};
use crate::{
    Outcome, User,
    checks::ch10::meanwhile::{clear, replaced_at},
    named::{call, container, without_container},
    patience, process,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        10,
        "wait returns when the container has ended, and not before",
        "any process that has a pidfd can wait for its process with poll(2); waitpid(2) works for \
     your own children only",
        |bench| {
            let running = container(bench, "box", &["--rootfs", "/"])?;
            let waiting = call(bench, &["wait", "box"]).start()?;
            let sleeps = (0..2).any(|_| sleeps(waiting.pid()));
            if process::has_ended(waiting.pid()) {
                let ended = waiting.finish()?;
                anyhow::bail!("wait ended with {} while the container runs", ended.status());
            }
            running.release()?.must_end_with(0)?;
            waiting.finish()?.must_end_with(0)?;
            ensure!(sleeps, "wait does not sleep: it looks again and again");
            let nobody = call(bench, &["wait", "box"]).finish()?.must_end_with(125)?;
            nobody.must_complain(&["box"])?;
            holds()
        },
    ),
    Check::new(
        10,
        "wait does not wait for a process that gets the pid meanwhile",
        "the entry means one process: open a pidfd of exactly that one, and if it has ended, there \
         is nothing to wait for",
        |bench| {
            // While another container runs, the folder of the entries is there.
            let running = container(bench, "box", &["-q", "--rootfs", "/"])?;
            let text = without_container(bench, "box")?;
            for number in [1, 2] {
                let (waiting, another) = match replaced_at(bench, &text, number, "wait")? {
                    Err(reason) => {
                        clear(bench, running)?;
                        return Ok(Outcome::Skipped(reason));
                    }
                    Ok(both) => both,
                };
                let ends =
                    process::wait_for_end(waiting.pid(), patience(Duration::from_millis(300)));
                drop(another);
                let status = waiting.finish()?.status();
                ensure!([0, 125].contains(&status), "its exit status is {status}");
                ensure!(ends?, "it waits for a process that got the pid meanwhile");
            }
            clear(bench, running)?;
            holds()
        },
    )
    // An ordinary user cannot say which pid the next process gets.
    .only_as(User::Root),
];

/// Whether a process sleeps for more than a second, and nothing wakes it. (A process that does not
/// sleep is ready to run at any look, however busy the machine is.)
fn sleeps(pid: Pid) -> bool {
    // It leaves the processor each time that it begins to sleep (proc_pid_status(5)).
    let look = || (process::state(pid), process::status(pid, "voluntary_ctxt_switches").ok());
    let begins = Instant::now();
    let mut before = look();
    while before.0 != Some('S') && begins.elapsed() < patience(Duration::from_millis(100)) {
        sleep(Duration::from_millis(5));
        before = look();
    }
    sleep(Duration::from_millis(1100));
    before.0 == Some('S') && look() == before
}
