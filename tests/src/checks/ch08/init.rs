//! Chapter 8: a PID 1 that stays.

use anyhow::{Context, ensure};
use nix::sys::signal::{Signal, kill};

use crate::{
    checks::{Check, ch03::signals::until_heard, holds},
    host::nobody_stays,
    process::children_of,
    told,
    unread::pipe,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        8,
        "with --init an orphan is reaped and a signal is heard",
        "wait for every child, not only for the command: orphans become PID 1's children",
        |bench| {
            // The orphan ends after its parent has; then PID 1 has a second to wait for it.
            let script =
                "orphan=$(sh -c 'sleep 0.05 >/dev/null & echo $!'); stat=/proc/$orphan/stat
         echo pid $$; trap 'echo heard; exit 9' TERM
         while [ -e $stat ] && ! grep -qF ') Z ' $stat; do sleep 0.01; done
         tries=0
         while [ -e $stat ] && [ $tries -lt 100 ]; do sleep 0.01; tries=$((tries + 1)); done
         cat $stat 2>/dev/null; echo ready; while :; do sleep 0.05; done";
            let mut running = bench.stage(["--init", "--", "sh", "-c", script]).start()?;
            running.until("ready")?;
            let output = running.output();
            ensure!(
                // From 12 on a helper has had the 2.
                output.contains(if bench.stage < 12 {
                    "pid 2\n"
                } else {
                    "pid 3\n"
                }),
                "the command is not the first child: {output}",
                output = told(&output)
            );
            ensure!(
                !output.contains("(sleep) Z"),
                "an orphan that has ended is still a zombie: {output}",
                output = told(&output)
            );
            running.signal(Signal::SIGTERM)?;
            let ended = running.finish()?.must_end_with(9)?;
            ensure!(ended.text().ends_with("ready\nheard\n"), "it wrote {}", told(&ended.text()));
            holds()
        },
    ),
    Check::new(
        8,
        "with --init orphans that end together are all reaped",
        "wait in a loop, until no child has ended: one SIGCHLD may stand for many",
        |bench| {
            // One of them is in a session, and so in a process group, of its own.
            let script = "orphans=$(setsid sh -c 'sleep 1000 >/dev/null & echo $!')
         for n in 1 2; do
             orphans=\"$orphans $(sh -c 'sleep 1000 >/dev/null & echo $!')\"; done
         echo ready; read go; kill -9 $orphans
         for orphan in $orphans; do
             until grep -qF ') Z ' /proc/$orphan/stat; do sleep 0.01; done; done
         echo ended; read look; tries=0
         left() { for orphan in $orphans; do cat /proc/$orphan/stat 2>/dev/null; done; }
         while [ -n \"$(left)\" ] && [ $tries -lt 100 ]; do sleep 0.01; tries=$((tries + 1)); done
         left; exit 4";
            let mut running = bench.stage(["--init", "--", "sh", "-c", script]).start_waiting()?;
            running.until("ready")?;
            let init = running.command()?;
            kill(init, Signal::SIGSTOP)?; // so it learns of all three at once
            running.say("go\n")?;
            let ended = running.until("ended");
            kill(init, Signal::SIGCONT)?;
            ended?;
            running.say("look\n")?;
            running.finish()?.must_end_with(4)?.must_write("ready\nended\n")?;
            holds()
        },
    ),
    Check::new(
        8,
        "with --init a real-time signal is told, and an orphan's harms nobody",
        "PID 1 gets every status there is, also of signals without a name: none of them may end \
         PID 1, because the container ends with it",
        |bench| {
            for (script, status) in
                [("kill -40 $$", 168), ("(sh -c 'kill -40 $$' &); sleep 0.1; exit 3", 3)]
            {
                let run = bench.stage(["--init", "--", "sh", "-c", script]);
                run.finish()?.must_end_with(status).with_context(|| script)?;
            }
            holds()
        },
    ),
    Check::new(
        8,
        "with --init a standard error that is closed sends the command no signal",
        "a PID 1 that reads its signals from a signalfd must not block SIGPIPE: each line of its \
         own log would become one, and one more to pass on",
        |bench| {
            let (reader, writer) = pipe()?;
            let script = "trap '' USR1; echo ready; read wait; exit 6";
            let run = bench.stage(["--init", "--", "sh", "-c", script]).complaining_to(writer);
            let mut running = run.start_waiting()?;
            running.until("ready")?;
            drop(reader);
            running.signal(Signal::SIGUSR1)?;
            until_heard(running.pid(), bench.bound)?;
            until_heard(running.command()?, bench.bound)?;
            running.release()?.must_end_with(6)?;
            holds()
        },
    ),
    Check::new(
        8,
        "with --init nothing inside can speak for the runtime",
        "close the error pipe in a PID 1 that stays: root inside can open all that PID 1 has open \
         (/proc/1/fd), and write the runtime's errors",
        |bench| {
            let script = "for fd in /proc/1/fd/*; do
                 [ ${fd##*/} -gt 2 ] || continue
                 for word in '127 forged' 'f\\177forged' 'f\\002forged' 'xf\\175forged' e; do
                     timeout 1 sh -c '{ printf \"$1\" > $0; } 2>/dev/null' $fd \"$word\"
                 done
             done
             exit 0";
            let ended = bench.stage(["--init", "--", "sh", "-c", script]).finish()?;
            let said = ended.errors.clone();
            let ended = ended.must_end_with(0)?;
            let forged = ended.messages().iter().any(|line| line.starts_with("forged"));
            ensure!(!forged && !said.contains(": forged"), "it says: {said}");
            holds()
        },
    )
    .privileged(),
    Check::new(
        8,
        "with --init the command's end is the container's",
        "PID 1 must end with the command's status, when the command ends and not later: the \
         kernel then kills the rest",
        |bench| {
            for (script, status) in [("exit 4", 4), ("kill -9 $$", 137), ("sleep 1000 & exit 0", 0)]
            {
                bench
                    .stage(["--init", "--", "sh", "-c", script])
                    .finish()?
                    .must_end_with(status)?;
            }
            let ended =
                bench.stage(["--init", "--", "no-such-command"]).finish()?.must_end_with(127)?;
            ended.must_complain(&["inside: exec no-such-command"])?;
            let running = {
                let mut running = bench
                    .stage(["--init", "--", "sh", "-c", "sleep 1000 & echo ready; sleep 1000"])
                    .start()?;
                running.until("ready")?;
                running
            };
            ensure!(!children_of(running.pid())?.is_empty(), "the stage has no child");
            running.signal(Signal::SIGKILL)?;
            running.finish()?.must_end_with(137)?;
            nobody_stays()?;
            holds()
        },
    ),
];
