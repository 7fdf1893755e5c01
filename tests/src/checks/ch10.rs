//! Chapter 10: a command in a container that already runs.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};

use super::{
    Check, Outcome,
    ch01_endings::{Terminal, is_interrupted},
    ch09, holds, namespaces_of, read_namespaces,
};
use crate::{
    User,
    bench::{Bench, Ended, Run, Running},
    cgroups::{self, move_all},
    delegation::delegated,
    host::nobody_stays,
    patience,
    process::{self, children_of},
    repetitions, slow,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        10,
        "exec is in the container's namespaces, all of them",
        "setns(2) takes a pidfd and several kinds at once; a PID namespace is one only for \
         the children that come after",
        |bench| {
            for options in [&["--rootfs", "/"][..], &[]] {
                let running = container(bench, "box", options)?;
                let inside = namespaces_outside(running.command()?)?;
                for how in [&["box"][..], &["--one-by-one", "box"]] {
                    let ended = exec(bench, how, &read_namespaces()).finish()?.must_end_with(0)?;
                    let found: Vec<String> = namespaces_of(&ended.text())?.into_values().collect();
                    ensure!(
                        found == inside,
                        "exec {how:?} is in {found:?}, and the container in {inside:?}"
                    );
                    // It is in the PID namespace, and not only its children.
                    let ended = exec(
                        bench,
                        how,
                        "[ $(readlink /proc/self) != $$ ] && grep NSpid: /proc/$$/status; \
                         echo $$",
                    );
                    let text = ended.finish()?.must_end_with(0)?.text();
                    let lines: Vec<&str> = text.lines().collect();
                    ensure!(
                        matches!(lines[..], [status, own] if status == format!("NSpid:\t{own}")),
                        "of its own pids it sees {text:?}: it is not in the PID namespace whose /proc it \
                         sees"
                    );
                }
                running.release()?.must_end_with(0)?;
            }
            holds()
        },
    ),
    Check::new(
        10,
        "exec has the container's ids, root, working directory and cgroup",
        "namespaces are not all that a container is: its ids, its root and working \
         directory, and its cgroup are a process's own",
        |bench| {
            let running =
                container_that(bench, "box", &["--hostname", "boxed"], "cd /var; echo up; cat")?;
            let look = "hostname; id -u; id -g; pwd; cat /image-layer4.txt; cat \
                        /proc/self/cgroup; grep Groups: /proc/self/status";
            let from_inside = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
            let found = from_inside(exec(bench, &["box"], look).finish()?.must_end_with(0)?.text());
            ensure!(found[..5] == ["boxed", "0", "0", "/var", "4"], "exec sees {found:?}");
            let groups = fs::read_to_string(format!("/proc/{}/cgroup", running.command()?))?;
            let joined: Vec<&str> = groups.lines().collect();
            ensure!(
                found[5..found.len() - 1] == joined[..],
                "it is in the groups {:?}, PID 1 in {joined:?}",
                &found[5..]
            );
            // Not an empty list: where setgroups is denied, a login's groups cannot be dropped.
            let own = format!("Groups: {}", groups_inside(bench, &running)?);
            let last = found.last().map(|line| line.replace("\t", " ").trim_end().to_owned());
            ensure!(last.as_deref() == Some(own.trim_end()), "it has {last:?}, PID 1 {own:?}");
            // Another folder, and what there is not.
            exec(bench, &["--workdir", "/root", "box"], "pwd")
                .finish()?
                .must_end_with(0)?
                .must_write("/root\n")?;
            let wrong = exec(bench, &["--workdir", "/nowhere", "box"], "true")
                .finish()?
                .must_end_with(125)?;
            wrong.must_complain(&["chdir to /nowhere", "No such file"])?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "no descriptor above 2, variable or privilege reaches the command of exec",
        "CHILD lets go of what it inherited before it joins: a descriptor into the host is a \
         way out (CVE-2024-21626)",
        |bench| {
            let running = container(bench, "box", &[])?;
            let left = "tr '\\0' '\\n' < /proc/self/environ; ls /proc/self/fd; grep NoNewPrivs \
                        /proc/self/status";
            let run = exec(bench, &["-e", "K=a b", "box"], left)
                .env("SECRET", "host")
                .within(Path::new("/"));
            let text = run
                .under(&["sh", "-c", "exec 9</; exec \"$0\" \"$@\""])
                .finish()?
                .must_end_with(0)?
                .text();
            let expected = "HOME=/root\nK=a b\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n\
                            0\n1\n2\n3\nNoNewPrivs:\t1\n";
            ensure!(text == expected, "the command has {text:?} (3 is ls's own)");
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "root's supplementary groups do not go into an ordinary user's container",
        "behind a setgroups of \"deny\" nobody can drop a group any more: drop them before \
         the user namespace is joined",
        |bench| {
            if !geteuid().is_root() {
                return Ok(Outcome::Skipped(
                    "only root has groups that are not an ordinary user's".into(),
                ));
            }
            let running = container(bench, "box", &["-q"])?;
            let pid = running.command()?.to_string();
            let mut command = std::process::Command::new(&bench.binary);
            command.args([
                "exec",
                "-q",
                "--target",
                &pid,
                "--all",
                "--",
                "grep",
                "Groups:",
                "/proc/self/status",
            ]);
            // SAFETY: one system call, which reads two ids: no lock, no allocation.
            unsafe {
                command.pre_exec(|| {
                    let groups: [libc::gid_t; 2] = [42, 7];
                    let set = libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr());
                    Ok(Errno::result(set).map(drop)?)
                });
            }
            let output = command.output()?;
            let text = String::from_utf8_lossy(&output.stdout);
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            ensure!(text.trim_end() == "Groups:", "inside it has {text:?}");
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "a cgroup that the container has made below its own is joined",
        "the container's limits hold for all groups below its own: it is the container's \
         wherever its name stands in the path",
        |bench| {
            let running = container(bench, "box", &["-q", "-m", "100m"])?;
            let pid = running.command()?;
            let group = cgroups::group_of(&pid.to_string(), "memory")?;
            let sub = group.join("sub");
            fs::create_dir(&sub)?;
            let moved = move_all(&group, &sub).and_then(|()| {
                let found = exec(bench, &["box"], "cat /proc/self/cgroup")
                    .finish()?
                    .must_end_with(0)?
                    .text();
                let own = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
                ensure!(
                    found == own && own.contains("/sub"),
                    "exec is in {found:?}, the container in {own:?}"
                );
                Ok(())
            });
            move_all(&sub, &group)?;
            fs::remove_dir(&sub)?;
            moved?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    )
    .only_as(User::Root),
    Check::new(
        10,
        "the container's limit holds for what exec runs",
        "a process joins a cgroup by its pid in cgroup.procs, before the gate opens: \
         otherwise it runs without the limits",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                let words = [
                    "run",
                    "-i",
                    "--name",
                    "box",
                    "-m",
                    "40m",
                    "--rootfs",
                    "/",
                    "--",
                    "sh",
                    "-c",
                    "echo up; cat",
                ];
                let mut running = delegation.put(nsenter(bench, &words)).start_waiting()?;
                running.until("up\n")?;
                let own = fs::read_to_string(format!("/proc/{}/cgroup", running.command()?))?;
                let found = delegation
                    .put(exec(bench, &["box"], "cat /proc/self/cgroup"))
                    .finish()?
                    .must_end_with(0)?;
                ensure!(
                    found.text() == own,
                    "exec is in {:?}, the container in {own:?}",
                    found.text()
                );
                // The limit ends what exec runs, and leaves the container's own command.
                let eat = bench.other("inside").display().to_string();
                let hog = delegation
                    .put(nsenter(bench, &["exec", "-q", "box", "--", &eat, "eat", "100"]))
                    .finish()?;
                hog.must_end_with(137)?;
                running.release()?.must_end_with(0)?;
                Ok(())
            })
        },
    ),
    Check::new(
        10,
        "a slow parent of exec changes nothing",
        "INIT waits at the gate until it is in the cgroup and the parent has lent it the \
         terminal",
        |bench| {
            let options: &[&str] = if bench.user == User::Root {
                &["-m", "100m"]
            } else {
                &[]
            };
            let running = container(bench, "box", options)?;
            let own = fs::read_to_string(format!("/proc/{}/cgroup", running.command()?))?;
            let inside = match exec(bench, &["box"], "id -u; cat /proc/self/cgroup")
                .with(slow::trace)
                .start()
            {
                Err(error) if slow::is_refused(&error) => {
                    return Ok(Outcome::Skipped(slow::REFUSED.into()));
                }
                started => started?,
            };
            slow::hold_back(inside.pid(), bench.bound)?;
            inside.finish()?.must_end_with(0)?.must_write(&format!("0\n{own}"))?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "exec gives back the command's status, and passes signals on",
        "CLONE_PARENT makes the command a child of exec itself, which waits for it as for \
         any child",
        |bench| {
            let running = container(bench, "box", &[])?;
            exec(bench, &["box"], "exit 7").finish()?.must_end_with(7)?;
            exec(bench, &["box"], "kill -TERM $$").finish()?.must_end_with(143)?;
            let not_found = nsenter(bench, &["exec", "-q", "box", "--", "no-such-command"])
                .finish()?
                .must_end_with(127)?;
            not_found.must_complain(&["inside: exec no-such-command", "not found"])?;
            nsenter(bench, &["exec", "-q", "box", "--", "/etc"])
                .finish()?
                .must_end_with(126)?;
            exec(bench, &["-i", "box"], "cat")
                .input("through\n")
                .finish()?
                .must_end_with(0)?
                .must_write("through\n")?;
            exec(bench, &["box"], "cat")
                .input("not through\n")
                .finish()?
                .must_end_with(0)?
                .must_write("")?;
            // No PID 1: the signal itself arrives, with a handler or without.
            for (signal, script, status) in [
                (
                    Signal::SIGTERM,
                    "trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done",
                    5,
                ),
                (Signal::SIGTERM, "echo ready; exec sleep 1000", 143),
                (
                    Signal::SIGUSR1,
                    "trap 'exit 6' USR1; echo ready; while :; do sleep 0.01; done",
                    6,
                ),
            ] {
                let mut inside = exec(bench, &["box"], script).start()?;
                inside.until("ready\n")?;
                inside.signal(signal)?;
                inside.finish()?.must_end_with(status)?;
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "exec -t has the terminal, and gives it back",
        "the command leads the terminal's foreground group while it runs; its parent joins \
         it there first",
        |bench| {
            let running = container(bench, "box", &["--rootfs", "/"])?;
            let inside = bench.other("inside").display().to_string();
            let _ = is_interrupted(
                bench,
                Terminal::of(nsenter(bench, &["exec", "-q", "-ti", "box"]))?,
            )?;
            // A Ctrl-C is the command's, and its end is exec's.
            let mut terminal = Terminal::of(nsenter(
                bench,
                &["exec", "-q", "-ti", "box", "--", &inside, "answer"],
            ))?;
            terminal.until("ready\r\n")?;
            terminal.write("\x03")?;
            let status = terminal.end()?;
            ensure!(status == 130, "the exit status was {status}, not 130");
            // One that leads the session, as under ssh -t: nothing is lent, and nothing is taken.
            let mut terminal = Terminal::of_leader(nsenter(
                bench,
                &["exec", "-q", "-ti", "box", "--", &inside, "answer"],
            ))?;
            terminal.until("ready\r\n")?;
            terminal.write("word\n")?;
            terminal.until("WORD")?;
            terminal.write("\x04")?;
            let status = terminal.end()?;
            ensure!(status == 0, "the exit status was {status}, not 0");
            let none = nsenter(bench, &["exec", "-t", "box"]).finish()?.must_end_with(2)?;
            none.must_complain(&["-t: standard input is no terminal"])?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "what exec started ends with the container, and with exec",
        "a process in the PID namespace ends with its PID 1; and it asked the kernel to end \
         with its parent",
        |bench| {
            let running = container(bench, "box", &[])?;
            let mut inside = exec(bench, &["box"], "echo ready; exec sleep 1000").start()?;
            inside.until("ready\n")?;
            running.release()?.must_end_with(0)?;
            inside.finish()?.must_end_with(137)?;

            let running = container(bench, "box", &[])?;
            let list = || {
                anyhow::Ok(
                    exec(bench, &["box"], "echo /proc/[0-9]*").finish()?.must_end_with(0)?.text(),
                )
            };
            let count = |list: &str| list.split_whitespace().count();
            let before = list()?;
            for milliseconds in [0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 30] {
                let inside = exec(bench, &["box"], "exec sleep 1000").start()?;
                thread::sleep(patience(Duration::from_millis(milliseconds)));
                inside.signal(Signal::SIGKILL)?;
                inside.finish()?.must_end_with(137)?;
            }
            // Their parent is outside, so whoever is left is outside's to reap, which is the judge here.
            nobody_stays_but(&running)?;
            ensure!(
                count(&list()?) == count(&before),
                "in the container: {} instead of {before}",
                list()?
            );
            running.release()?.must_end_with(0)?;
            nobody_stays()?;
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        10,
        "PARENT, CHILD and INIT are in the process list",
        "prctl(PR_SET_NAME) says which stage of the bootstrap a process is, to whoever looks \
         from outside",
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
                    "of {expected:?} only these were seen: {seen:?}"
                );
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "a name is taken while its container runs, and free afterwards",
        "the entry is made before anything is cloned, and removed when the container has \
         ended",
        |bench| {
            let running = container(bench, "box", &[])?;
            let again = nsenter(bench, &["run", "-q", "--name", "box", "--", "true"])
                .finish()?
                .must_end_with(125)?;
            again.must_complain(&["the name box is taken", &running.command()?.to_string()])?;
            // It is taken until `run` has ended, and not only its container.
            let slow = container(bench, "slow", &[])?;
            let (init, run) = (slow.command()?, slow.pid());
            kill(run, Signal::SIGSTOP)?;
            kill(init, Signal::SIGKILL)?;
            let start = Instant::now();
            let again = loop {
                let again = nsenter(bench, &["run", "-q", "--name", "slow", "--", "true"])
                    .finish()?
                    .must_end_with(125)?;
                if again.errors.contains(&run.to_string())
                    || start.elapsed() > patience(Duration::from_millis(300))
                {
                    break again;
                }
            };
            again.must_complain(&["the name slow is taken"])?;
            kill(run, Signal::SIGCONT)?;
            slow.finish()?.must_end_with(137)?;
            nsenter(bench, &["run", "-q", "--name", "slow", "--", "true"])
                .finish()?
                .must_end_with(0)?;
            let other = container(bench, "other", &[])?;
            exec(bench, &["box"], "true").finish()?.must_end_with(0)?;
            running.release()?.must_end_with(0)?;
            ensure!(!entry(bench, "box").exists(), "the entry is left");
            let gone = exec(bench, &["box"], "true").finish()?.must_end_with(125)?;
            gone.must_complain(&["no container is called box"])?;
            other.release()?.must_end_with(0)?;
            ensure!(!entry(bench, "").exists(), "the folder of the entries is left");
            // A folder that is not this user's alone is none to trust.
            let folder = bench.temporary().join("10-nsenter");
            let elsewhere = bench.folder("elsewhere")?;
            std::os::unix::fs::symlink(&elsewhere, &folder)?;
            let linked = nsenter(bench, &["run", "-q", "--name", "box", "--", "true"])
                .finish()?
                .must_end_with(125)?;
            linked.must_complain(&["10-nsenter", "set XDG_RUNTIME_DIR"])?;
            fs::remove_file(&folder)?;
            fs::create_dir(&folder)?;
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o777))?;
            let open = nsenter(bench, &["ps"]).finish()?.must_end_with(125)?;
            open.must_complain(&["10-nsenter", "set XDG_RUNTIME_DIR"])?;
            fs::remove_dir(&folder)?;
            // Also after a container that was never set up.
            let wrong = ["run", "-q", "--name", "box", "--rootfs", "/proc/1/none", "--", "true"];
            nsenter(bench, &wrong).finish()?.must_end_with(125)?;
            for name in ["", "../box", "-box", ".box", "a b", &"a".repeat(65)] {
                let refused = nsenter(bench, &["run", &format!("--name={name}"), "--", "true"])
                    .finish()?
                    .must_end_with(2)?;
                refused.must_complain(&["a name is 1 to 64"])?;
            }
            // The name is free at once, however often.
            for _ in 0..repetitions(20) {
                nsenter(bench, &["run", "-q", "--name", "box", "--", "true"])
                    .finish()?
                    .must_end_with(0)?;
            }
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        10,
        "ps lists what runs, and clears what a SIGKILL left",
        "a pid and a start time are one process for ever; an entry whose process is gone is \
         left over",
        |bench| {
            must_list(bench, &[])?;
            let one = container_that(bench, "one", &[], "echo up; exec cat")?;
            let two = container_that(bench, "two", &[], "echo up; exec cat")?;
            let row = |name: &str, running: &Running| {
                anyhow::Ok(vec![name.to_owned(), running.command()?.to_string(), "cat".to_owned()])
            };
            let expected = [row("one", &one)?, row("two", &two)?];
            must_list(bench, &expected)?;
            // In another PID namespace these pids mean nothing: whoever is there leaves the entries alone.
            let words = [
                "run",
                "-q",
                "--rootfs",
                "/",
                "-e",
                &format!("XDG_RUNTIME_DIR={}", bench.temporary().display()),
                "--",
            ];
            let stage = bench.binary.display().to_string();
            let elsewhere = nsenter(bench, &[&words[..], &[&stage, "ps"]].concat())
                .finish()?
                .must_end_with(0)?;
            ensure!(
                elsewhere.text().lines().count() == 1,
                "elsewhere ps lists {:?}",
                elsewhere.text()
            );
            must_list(bench, &expected)?;
            // Killed: the entry is left, and the next reader clears it.
            one.signal(Signal::SIGKILL)?;
            one.finish()?.must_end_with(137)?;
            nobody_stays_but(&two)?;
            ensure!(entry(bench, "one").exists(), "a SIGKILL lets nobody clear up");
            let gone = exec(bench, &["one"], "true").finish()?.must_end_with(125)?;
            gone.must_complain(&["one has ended", "is gone"])?;
            must_list(bench, &expected[1..])?;
            ensure!(!entry(bench, "one").exists(), "ps has left the entry");
            two.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "whoever is told that a container runs can go in",
        "init says that it is ready, and goes on when the entry is written: before that its \
         root is the host's",
        |bench| {
            // The image is made first, so that the race below is between entry and set-up only.
            ch09::script(bench, &["-q"], "true").finish()?.must_end_with(0)?;
            for _ in 0..repetitions(20) {
                let words = ["run", "-qi", "--name", "box", "--", "sh", "-c", "echo up; cat"];
                let mut running = nsenter(bench, &words).start_waiting()?;
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
    Check::new(
        10,
        "bad usage of exec is 2, in one line",
        "what cannot be meant is refused before anything is started",
        |bench| {
            let own = std::process::id().to_string();
            for (words, says) in [
                (&["exec"][..], "required"),
                (&["exec", "--target", "0", "--all"], "0"),
                (&["exec", "--target", "-1", "--all"], "-1"),
                (&["exec", "--target", "x", "--all"], "x"),
                (&["exec", "--target", &own], "say what to join"),
                (&["exec", "box", "--target", &own, "--all"], "cannot be used with"),
                (&["exec", "box", "--net"], "cannot be used with"),
                (
                    &["exec", "--target", &own, "--net", "--clone", "net"],
                    "network: either the target's or a new one",
                ),
                (&["exec", "--target", &own, "--net", "--clone", "time"], "time"),
                (&["exec", "box", "--clone", "mount"], "cannot be used with"),
                (&["exec", "--target", &own, "--all", "--clone", "pid"], "cannot be used with"),
                (&["exec", "--target", &own, "--net", "--uid-map", "0:0:1"], "--clone user"),
                (
                    &["exec", "--target", &own, "--clone", "user", "--as", "5:5"],
                    "--as 5:5: the maps do not contain it",
                ),
                (&["exec", "box", "sh"], "sh"),
                (&["ps", "box"], "box"),
            ] {
                let ended = nsenter(bench, words).finish()?.must_end_with(2)?;
                ended.must_complain(&[says])?.must_write("").with_context(|| words.join(" "))?;
            }
            let by_hand = bench
                .run(&bench.binary, ["ps"])
                .env("NSENTER_INITPIPE", "0")
                .finish()?
                .must_end_with(125)?;
            by_hand.must_complain(&["NSENTER_INITPIPE", "no socket"])?;
            let relative = bench
                .run(&bench.binary, ["ps"])
                .env("XDG_RUNTIME_DIR", "here")
                .finish()?
                .must_end_with(125)?;
            relative.must_complain(&["XDG_RUNTIME_DIR is here"])?;
            holds()
        },
    )
    .not_in_the_workshop(),
];

/// A run of the stage with any of its subcommands, whose entries are in the user's temporary
/// folder.
pub(super) fn nsenter<'a>(bench: &'a Bench, words: &[&str]) -> Run<'a> {
    bench.run(&bench.binary, words).env("XDG_RUNTIME_DIR", bench.temporary())
}

/// `exec WORDS… -- sh -c SCRIPT`, without its log.
pub(super) fn exec<'a>(bench: &'a Bench, words: &[&str], script: &str) -> Run<'a> {
    nsenter(bench, &[&["exec", "-q"], words, &["--", "sh", "-c", script]].concat())
}

/// A container that is called so, once its command runs: it waits for the end of its input.
pub(super) fn container(bench: &Bench, name: &str, options: &[&str]) -> anyhow::Result<Running> {
    container_that(bench, name, options, "echo up; cat")
}

/// Likewise, with another command, which says `up`.
pub(super) fn container_that(
    bench: &Bench,
    name: &str,
    options: &[&str],
    script: &str,
) -> anyhow::Result<Running> {
    let words = [&["run", "-i", "--name", name], options, &["--", "sh", "-c", script]].concat();
    let mut running = nsenter(bench, &words).start_waiting()?;
    running.until("up\n")?;
    Ok(running)
}

/// The supplementary groups of the container's PID 1, as its user namespace shows them.
fn groups_inside(bench: &Bench, running: &Running) -> anyhow::Result<String> {
    let pid = running.command()?.to_string();
    let words = ["--target", &pid, "--user", "--preserve-credentials"];
    let status = format!("/proc/{pid}/status");
    let words = [&words[..], &["grep", "Groups:", &status]].concat();
    let ended = bench.run("nsenter", words).finish()?.must_end_with(0)?;
    Ok(ended.text().trim_start_matches("Groups:").trim().to_owned())
}

/// What `readlink` says of the namespaces of a process, as whoever judges sees it.
fn namespaces_outside(pid: Pid) -> anyhow::Result<Vec<String>> {
    super::KINDS
        .iter()
        .map(|kind| {
            Ok(fs::read_link(format!("/proc/{pid}/ns/{kind}"))
                .context("read a link")?
                .display()
                .to_string())
        })
        .collect()
}

/// The file of an entry.
pub(super) fn entry(bench: &Bench, name: &str) -> PathBuf {
    bench.temporary().join("10-nsenter").join(name)
}

/// The table of `ps`, without its head.
fn ps(bench: &Bench) -> anyhow::Result<Vec<Vec<String>>> {
    let text = nsenter(bench, &["ps"]).finish()?.must_end_with(0)?.text();
    ensure!(text.starts_with("NAME"), "ps wrote {text:?}");
    Ok(text
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect())
}

/// `ps` must list just these; a shell that has said `up` may take a moment to become its command.
fn must_list(bench: &Bench, expected: &[Vec<String>]) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        let found = ps(bench)?;
        if found == expected {
            return Ok(());
        }
        ensure!(
            start.elapsed() < patience(Duration::from_secs(1)),
            "ps lists {found:?}, not {expected:?}"
        );
    }
}

/// Waits until the judge has no child but this one.
fn nobody_stays_but(running: &Running) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        let others: Vec<Pid> = crate::host::children()?
            .into_iter()
            .filter(|pid| *pid != running.pid())
            .collect();
        for pid in &others {
            // What a killed stage left is the judge's child now.
            let _ = nix::sys::wait::waitpid(*pid, Some(nix::sys::wait::WaitPidFlag::WNOHANG));
        }
        if others.is_empty() {
            return Ok(());
        }
        ensure!(start.elapsed() < patience(Duration::from_secs(5)), "these stay: {others:?}");
        thread::sleep(Duration::from_millis(1));
    }
}
