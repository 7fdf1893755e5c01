//! Chapter 10, how it ends: on a full disk, side by side, and with a runtime that was killed.

use std::{fs, path::Path};

use anyhow::ensure;
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sys::signal::{Signal, kill},
    unistd::geteuid,
};

use crate::{
    Bench, Outcome,
    bench::Run,
    checks::{Check, holds},
    host::nobody_stays,
    named::{call, entries, must_list},
    patience,
    process::{has_ended, killed},
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        10,
        "a full disk is an error in one line, and no process waits for its own lock",
        "if an entry cannot be written whole, remove it; the process that removes it holds the \
         lock already, and must not wait for it again",
        |bench| {
            if !geteuid().is_root() {
                return Ok(Outcome::Skipped("only root can make a full disk for a test".into()));
            }
            let disk = bench.folder("disk")?;
            let (uid, gid) = (bench.user.uid(), bench.user.gid());
            let options = format!("size=128k,mode=700,uid={uid},gid={gid}");
            mount(Some("none"), &disk, Some("tmpfs"), MsFlags::empty(), Some(&*options))?;
            let outcome = on_a_full_disk(bench, &disk);
            umount2(&disk, MntFlags::MNT_DETACH)?;
            outcome.map(|()| Outcome::Holds)
        },
    ),
    Check::new(
        10,
        "a name is not handed out while its container lives, whatever became of its run",
        "an entry names two processes: if the one that keeps it was killed, the name stays taken \
         as long as the container runs",
        |bench| {
            let inside = bench.other("inside").display().to_string();
            let words = ["run", "-q", "--name", "box", "--rootfs", "/", "--", &inside, "forget"];
            let mut running = call(bench, &words).start()?;
            running.until("up\n")?;
            let container = running.command()?;
            running.kill_runtime()?;
            running.finish()?.must_end_with(137)?;
            ensure!(!has_ended(container), "the container has ended with its run");
            let pid = container.to_string();
            let listed =
                must_list(bench, &[vec!["box".into(), pid.clone(), inside, "forget".into()]]);
            let again = call(bench, &["run", "-q", "--name", "box", "--", "true"]);
            let refused = again.finish()?;
            kill(container, Signal::SIGKILL)?;
            killed(container, patience(bench.bound))?;
            nobody_stays()?;
            refused.must_end_with(125)?.must_complain(&["the name box is taken", &pid])?;
            listed?;
            let again = call(bench, &["run", "-q", "--name", "box", "--", "true"]);
            again.finish()?.must_end_with(0)?;
            ensure!(!entries(bench).exists(), "the entry is left");
            holds()
        },
    ),
    Check::new(
        10,
        "of twenty that want one name at once, each gets it alone or is refused",
        "whether a name is free, and to take it, must be one step under one lock",
        |bench| {
            let start = |number: usize| {
                let file = format!("taken-{number}");
                let script = format!(
                    "[ -z \"$(ls taken-* 2>/dev/null)\" ] || exit 5
                     echo > {file}; sleep 0.05; rm {file}; exit 7"
                );
                let words = ["run", "-q", "--name", "box", "--rootfs", "/", "--"];
                call(bench, &[&words[..], &["sh", "-c", &script]].concat()).start()
            };
            let running: Vec<_> = (0..20).map(start).collect::<Result<_, _>>()?;
            let mut had_it = 0;
            for one in running {
                let ended = one.finish()?;
                match ended.status() {
                    7 => had_it += 1,
                    125 => drop(ended.must_complain(&["the name box is taken"])?),
                    status => anyhow::bail!("status {status}; it said {}", ended.errors),
                }
            }
            ensure!(had_it > 0, "nobody got the name");
            ensure!(!entries(bench).exists(), "the entry is left");
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        10,
        "twenty with names of their own run side by side",
        "hold the lock of the shared folder for a moment, not for as long as a container runs",
        |bench| {
            let start = |number: i32| {
                let name = format!("box-{number}");
                let script = format!("exit {number}");
                call(bench, &["run", "-q", "--name", &name, "--", "sh", "-c", &script]).start()
            };
            for _ in 0..2 {
                let running: Vec<_> = (0..20).map(start).collect::<Result<_, _>>()?;
                for (number, one) in running.into_iter().enumerate() {
                    one.finish()?.must_end_with(number as i32)?;
                }
                ensure!(!entries(bench).exists(), "an entry is left");
            }
            holds()
        },
    )
    .not_in_the_workshop(),
];

/// Entries are on this disk, which takes no byte more.
fn on_a_full_disk(bench: &Bench, disk: &Path) -> anyhow::Result<()> {
    let full = disk.join("full");
    let _ = fs::write(&full, [b'.'; 1 << 18]);
    let call =
        |words: &[&str]| -> Run { bench.run(&bench.binary, words).env("XDG_RUNTIME_DIR", disk) };
    let named = ["run", "-q", "--name", "box", "--rootfs", "/", "--", "echo", "ran"];
    for _ in 0..2 {
        let refused = call(&named).finish()?.must_end_with(125)?.must_write("")?;
        refused.must_complain(&["No space left on device"])?;
        call(&["ps"]).finish()?.must_end_with(0)?;
        let nobody = call(&["kill", "box"]).finish()?.must_end_with(125)?;
        nobody.must_complain(&["no container is called box"])?;
    }
    fs::remove_file(full)?;
    call(&named).finish()?.must_end_with(0)?.must_write("ran\n")?;
    Ok(())
}
