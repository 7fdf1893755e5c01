//! Further, chapter 10: until a container has ended.

use std::{fs, thread::sleep, time::Duration};

use anyhow::{Context, ensure};
use nix::unistd::Pid;

use super::{Check, holds};
use crate::{
    named::{call, container},
    patience, process,
};

pub(super) const CHECKS: &[Check] = &[Check::new(
    10,
    "wait returns when the container has ended, and not before",
    "any process that has a pidfd can wait for its process with poll(2); waitpid(2) works for \
     your own children only",
    |bench| {
        let running = container(bench, "box", &["--rootfs", "/"])?;
        let waiting = call(bench, &["wait", "box"]).start()?;
        let sleeps = (0..5).any(|_| sleeps(waiting.pid()));
        if process::has_ended(waiting.pid()) {
            let ended = waiting.finish()?;
            anyhow::bail!("wait ended with {} while the container runs", ended.status());
        }
        running.release()?.must_end_with(0)?;
        waiting.finish()?.must_end_with(0)?;
        ensure!(sleeps, "wait uses the processor all the time: it looks again and again");
        let nobody = call(bench, &["wait", "box"]).finish()?.must_end_with(125)?;
        nobody.must_complain(&["box"])?;
        holds()
    },
)];

/// Whether a process sleeps for 400 ms, without a moment on a processor. (A process that does not
/// sleep is ready to run at any look, however busy the machine is.)
fn sleeps(pid: Pid) -> bool {
    let look = || (process::state(pid), ticks(pid).ok());
    let before = look();
    sleep(patience(Duration::from_millis(400)));
    before.0 == Some('S') && look() == before
}

/// For how long a process has used a processor, in clock ticks (proc_pid_stat(5), utime, stime).
fn ticks(pid: Pid) -> anyhow::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(") ").context("a program's name in /proc/PID/stat")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    Ok(fields[11].parse::<u64>()? + fields[12].parse::<u64>()?)
}
