//! Further, chapter 2: a message queue that is there when the command starts.

use nix::errno::Errno;

use super::{Check, holds};
use crate::{
    checks::ch02::{Queue, key},
    seccomp::refuse_to_make_queue,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        2,
        "--queue is there for the command, and for nobody else",
        "msgget(2) makes the queue in the caller's IPC namespace, with the key that you pass: \
         call it in the child, before execve(2)",
        |bench| {
            // A wrong stage makes it outside: whatever comes, it is removed there.
            let _removed = Queue::removed_at_the_end(key());
            let (inside, key) = (bench.other("inside"), key().to_string());
            let script =
                format!("{} find {key}; echo ready; read wait || exit 0", inside.display());
            let mut running =
                bench.stage(["--queue", &key, "--", "sh", "-c", &script]).start_waiting()?;
            running.until("ready")?;
            bench
                .run(&inside, ["find", &key])
                .finish()?
                .must_end_with(0)?
                .must_write("not found\n")?;
            running.release()?.must_end_with(0)?.must_write("found\nready\n")?;
            holds()
        },
    ),
    Check::new(
        2,
        "a --queue that cannot be made stops the stage",
        "return the error of msgget(2): if you ignore it, the command starts without its queue",
        |bench| {
            bench
                .stage(["--queue", &key().to_string(), "--", "echo", "ran"])
                .with(refuse_to_make_queue(key() as u32, Errno::ENOSPC)?)
                .finish()?
                .must_end_with(125)?
                .must_complain(&["No space left"])?
                .must_write("")?;
            holds()
        },
    ),
];
