//! Chapter 2: a System V queue made inside is not outside, and the other way round.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{Check, holds};
use crate::{
    Bench,
    bench::Running,
    patience,
    process::{children_of, state, wait_for_end},
    seccomp,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        2,
        "a queue made outside is not inside",
        "a System V object belongs to the IPC namespace of the process that made it: clone the \
         child with CLONE_NEWIPC",
        |bench| {
            let _queue = Queue::create(key())?;
            let (inside, key) = (bench.other("inside"), key().to_string());
            // The test of the test: without the stage it is found.
            bench
                .run(&inside, ["find", &key])
                .finish()?
                .must_end_with(0)?
                .must_write("found\n")?;
            let words = ["--".as_ref(), inside.as_os_str(), "find".as_ref(), key.as_ref()];
            bench.stage(words).finish()?.must_end_with(0)?.must_write("not found\n")?;
            holds()
        },
    ),
    Check::new(
        2,
        "a queue made inside is not outside, and goes with its namespace",
        "a queue that the child makes belongs to its IPC namespace, and the kernel removes it with \
         the namespace: clone the child with CLONE_NEWIPC",
        |bench| {
            let (inside, key) = (bench.other("inside"), key().to_string());
            let words = ["--".as_ref(), inside.as_os_str(), "queue".as_ref(), key.as_ref()];
            let mut running = bench.stage(words).start_waiting()?;
            running.until("made")?;
            bench
                .run(&inside, ["find", &key])
                .finish()?
                .must_end_with(0)?
                .must_write("not found\n")?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        2,
        "the stage proves it itself, in both directions",
        "msgget(2) with a key and no flag looks for a queue. ENOENT means that it is not in this \
         namespace; any other errno is an error; IPC_CREAT would make the queue",
        |bench| {
            let ended = bench.script("true").finish()?.must_end_with(0)?;
            let said = ended.messages();
            let made = said
                .iter()
                .filter(|message| message.starts_with("made a message queue"))
                .count();
            let missed =
                said.iter().filter(|message| message.ends_with("here? no (ENOENT)")).count();
            ensure!(
                (made, missed) == (2, 2),
                "{made} queues made, {missed} looked for in vain; two and two were expected"
            );
            // It looks without making, and what the kernel refuses is not "no".
            for (errno, word) in
                [(Errno::EACCES, "Permission denied"), (Errno::ENOSYS, "not implemented")]
            {
                bench
                    .script("echo ran")
                    .with(seccomp::refuse_to_look_for_queues(errno)?)
                    .finish()?
                    .must_end_with(125)
                    .with_context(|| format!("where the kernel refuses to look ({errno})"))?
                    .must_complain(&[word])?
                    .must_write("")?;
            }
            // A filter with the errno 0 makes msgget(2) return 0: a queue is there, the first.
            bench
                .script("echo ran")
                .with(seccomp::refuse_to_look_for_queues(Errno::UnknownErrno)?)
                .finish()?
                .must_end_with(125)
                .context("where the kernel finds a queue, with the id 0")?
                .must_complain(&["visible inside"])?
                .must_write("")?;
            holds()
        },
    )
    .until(3, "the proof is chapter 2's own"),
    Check::new(
        2,
        "a side that fails is not waited for",
        "a read(2) that returns 0 bytes is the end, not a word. It comes when the last copy of the \
         other end is closed, so each process must close the end that it does not use. And an \
         error of read(2) is no word either: return it",
        |bench| {
            let said = bench.script("true").finish()?.must_end_with(0)?.messages();
            let mut made = said
                .iter()
                .filter_map(|line| line.strip_prefix("made a message queue with key 0x"));
            let inner = made.next_back().context("the log names no queue")?;
            let inner = u32::from_str_radix(inner, 16).context("the key of the inner queue")?;
            bench
                .script("echo ran")
                .with(seccomp::refuse_to_make_queue(inner, Errno::EACCES)?)
                .finish()?
                .must_end_with(125)?
                .must_complain(&["Permission denied"])?
                .must_write("")?;
            bench
                .script("echo ran")
                .with(seccomp::refuse_to_read_a_byte(Errno::EIO)?)
                .finish()?
                .must_end_with(125)
                .context("where the kernel refuses to read a byte (EIO)")?
                .must_complain(&["Input/output error"])?
                .must_write("")?;
            holds()
        },
    )
    .until(3, "the proof is chapter 2's own"),
    Check::new(
        2,
        "a Ctrl-C while the stage proves it ends the stage",
        "a parent ignores SIGINT only while the command runs, which decides what a Ctrl-C does: a \
         helper child is no command",
        |bench| {
            for signal in [Signal::SIGINT, Signal::SIGQUIT] {
                let (running, child) = stopped_in_its_proof(bench)?;
                running.signal(signal)?;
                let ended = wait_for_end(running.pid(), patience(Duration::from_secs(2)))?;
                if !ended {
                    running.signal(Signal::SIGKILL)?;
                }
                let status = running.finish()?.status();
                // Stopped in its first moment, it has not asked to end with its parent yet.
                let _ = kill(child, Signal::SIGCONT);
                ensure!(ended, "{signal} while it proves, and it runs on");
                ensure!(status == 128 + signal as i32, "{signal}, and it ended with {status}");
            }
            holds()
        },
    )
    .until(3, "the proof is chapter 2's own")
    .not_in_the_workshop(),
];

/// A run, and its child, which is stopped. The child has a new IPC namespace and its parent's
/// hostname: it is the proof's, and not the command.
fn stopped_in_its_proof(bench: &Bench) -> anyhow::Result<(Running, Pid)> {
    for _ in 0..100 {
        let running = bench.stage(["sleep", "1000"]).start()?;
        let stage = running.pid();
        let link = |pid: Pid, kind: &str| fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok();
        let is = |pid: Pid, kind: &str| link(pid, kind) == link(stage, kind);
        let is_in_the_proof = |pid: &Pid| !is(*pid, "ipc") && is(*pid, "uts");
        let start = Instant::now();
        while start.elapsed() < patience(Duration::from_secs(1)) {
            let Some(child) = children_of(stage)?.into_iter().find(is_in_the_proof) else {
                continue;
            };
            let _ = kill(child, Signal::SIGSTOP); // it may have ended: the next try, then
            sleep(Duration::from_millis(5));
            if state(child) == Some('T') && is_in_the_proof(&child) && state(stage) == Some('S') {
                return Ok((running, child));
            }
            running.signal(Signal::SIGKILL)?;
            let _ = kill(child, Signal::SIGCONT); // it may not end with its parent yet
            break;
        }
        running.signal(Signal::SIGKILL)?;
        running.finish()?.must_end_with(137)?;
    }
    bail!("the proof is too short to be seen")
}

/// A queue of this process's IPC namespace, removed when it is dropped.
pub(super) struct Queue(i32);

impl Queue {
    fn create(key: i32) -> anyhow::Result<Queue> {
        // SAFETY: msgget takes two numbers.
        let id = unsafe { libc::msgget(key, libc::IPC_CREAT | libc::IPC_EXCL | 0o666) };
        Ok(Queue(Errno::result(id)?))
    }

    /// For a queue that a stage may make: one with this key is removed at the end.
    pub(super) fn removed_at_the_end(key: i32) -> impl Drop {
        RemovedAtTheEnd(key)
    }
}

struct RemovedAtTheEnd(i32);

impl Drop for RemovedAtTheEnd {
    fn drop(&mut self) {
        // SAFETY: msgget takes two numbers.
        let id = unsafe { libc::msgget(self.0, 0) };
        if id >= 0 {
            drop(Queue(id));
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: IPC_RMID takes no buffer.
        unsafe { libc::msgctl(self.0, libc::IPC_RMID, std::ptr::null_mut()) };
    }
}

/// A key that no other program is likely to have.
pub(super) fn key() -> i32 {
    0x4c00_0000 | std::process::id() as i32
}
