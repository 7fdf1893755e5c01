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
        sleep(patience(Duration::from_millis(100)));
        let before = ticks(waiting.pid())?;
        sleep(patience(Duration::from_millis(400)));
        if process::has_ended(waiting.pid()) {
            let ended = waiting.finish()?;
            anyhow::bail!("wait ended with {} while the container runs", ended.status());
        }
        let used = ticks(waiting.pid())? - before;
        running.release()?.must_end_with(0)?;
        waiting.finish()?.must_end_with(0)?;
        ensure!(used < 5, "wait has used the processor for {used} of 40 hundredths of a second");
        let nobody = call(bench, &["wait", "box"]).finish()?.must_end_with(125)?;
        nobody.must_complain(&["box"])?;
        holds()
    },
)];

/// For how long a process has used a processor, in clock ticks (proc_pid_stat(5), utime, stime).
fn ticks(pid: Pid) -> anyhow::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(") ").context("a program's name in /proc/PID/stat")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    Ok(fields[11].parse::<u64>()? + fields[12].parse::<u64>()?)
}
