//! Chapter 11: new namespaces, other ids, and what cannot be meant.

use anyhow::{Context, ensure};
use nix::sys::signal::Signal;

use super::of_exec;
use crate::{
    User,
    checks::{Check, ch01::shell::new_namespaces, holds},
    named::{call, container, exec},
    namespaces,
    terminal::Terminal,
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        11,
        "--clone makes new namespaces beside those that are joined",
        "clone INIT with the flags of the new namespaces, after CHILD has joined the others",
        |bench| {
            let running = container(bench, "box", &["--rootfs", "/"])?;
            let (own, theirs) = (namespaces::own()?, namespaces::of(running.command()?)?);
            let pid = running.command()?.to_string();
            let words = ["--target", &pid, "--user", "--net", "--clone", "uts,mount,pid"];
            let found = of_exec(bench, &words)?;
            for kind in namespaces::KINDS {
                let expected = match kind {
                    "user" | "net" => found[kind] == theirs[kind],
                    "ipc" => found[kind] == own[kind],
                    _ => found[kind] != theirs[kind] && found[kind] != own[kind],
                };
                ensure!(
                    expected,
                    "{kind}: it is in {}, the container in {}",
                    found[kind],
                    theirs[kind]
                );
            }
            exec(bench, &words, "echo $$ /proc/[0-9]*")
                .finish()?
                .must_end_with(0)?
                .must_write("1 /proc/1\n")?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        11,
        "--clone user has the maps that were asked for",
        "PARENT writes the maps while INIT waits at the gate; an ordinary user's may only if INIT \
         is dumpable: else its files in /proc are root's",
        |bench| {
            let target = bench.run("sleep", ["1000"]).start()?;
            let words = ["--target", &target.pid().to_string(), "--uts", "--clone", "user,net"];
            let found =
                exec(bench, &words, "cat /proc/self/uid_map /proc/self/gid_map; id -u; id -g")
                    .finish()?;
            let words_of =
                |text: String| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let (uid, gid) = (bench.user.uid().to_string(), bench.user.gid().to_string());
            let expected = ["0", &uid, "1", "0", &gid, "1", "0", "0"];
            let found = words_of(found.must_end_with(0)?.text());
            ensure!(
                found == expected,
                "maps and ids are {found}, not {expected}",
                found = told(&found),
                expected = told(&expected)
            );
            let (uid_map, gid_map) = (format!("7:{uid}:1"), format!("8:{gid}:1"));
            let asked =
                [&words[..], &["--uid-map", &uid_map, "--gid-map", &gid_map, "--as", "7:8"]]
                    .concat();
            let found =
                exec(bench, &asked, "cat /proc/self/uid_map /proc/self/gid_map; id -u; id -g")
                    .finish()?;
            let expected = ["7", &uid, "1", "8", &gid, "1", "7", "8"];
            let found = words_of(found.must_end_with(0)?.text());
            ensure!(
                found == expected,
                "maps and ids are {found}, not {expected}",
                found = told(&found),
                expected = told(&expected)
            );
            target.signal(Signal::SIGKILL)?;
            target.finish()?.must_end_with(137)?;
            holds()
        },
    ),
    Check::new(
        11,
        "--as is whom the command runs as",
        "an id means something in its user namespace only: the kernel refuses an id that the map \
         does not have (EINVAL)",
        |bench| {
            let running = container(bench, "box", &[])?;
            let ids = "id -u; id -g; grep Groups: /proc/self/status";
            if bench.user == User::Root {
                let run = exec(bench, &["--as", "1:7", "box"], ids).finish()?.must_end_with(0)?;
                let found: Vec<String> =
                    run.text().lines().map(|line| line.trim_end().to_owned()).collect();
                ensure!(
                    found == ["1", "7", "Groups:"],
                    "its ids are {found}",
                    found = told(&found)
                );
            } else {
                let refused =
                    exec(bench, &["--as", "1:7", "box"], ids).finish()?.must_end_with(125)?;
                refused
                    .must_write("")?
                    .must_complain(&["setresgid to 7", "gid_map does not contain it"])?;
            }
            running.release()?.must_end_with(0)?;
            // A command of another user inside: exec is that user too.
            if bench.user == User::Root {
                let running = container(bench, "box", &["--user", "1:7"])?;
                exec(bench, &["box"], "id -u; id -g")
                    .finish()?
                    .must_end_with(0)?
                    .must_write("1\n7\n")?;
                running.release()?.must_end_with(0)?;
            }
            holds()
        },
    ),
    Check::new(
        11,
        "bad usage of exec is 2, in one line",
        "refuse options that contradict each other before you start anything",
        |bench| {
            let own = std::process::id().to_string();
            for (words, says) in [
                (&["exec"][..], "required"),
                (&["exec", "--target", "0", "--all"], "0"),
                (&["exec", "--target", "-1", "--all"], "-1"),
                (&["exec", "--target", "x", "--all"], "x"),
                (&["exec", "--target", &own], "name what to join"),
                (&["exec", "box", "--target", &own, "--all"], "cannot be used with"),
                (&["exec", "box", "--net"], "cannot be used with"),
                (
                    &["exec", "--target", &own, "--net", "--clone", "net"],
                    "network: either join the target's or make a new one",
                ),
                (&["exec", "--target", &own, "--net", "--clone", "time"], "time"),
                (&["exec", "box", "--clone", "mount"], "cannot be used with"),
                (&["exec", "--target", &own, "--all", "--clone", "pid"], "cannot be used with"),
                (&["exec", "--target", &own, "--net", "--uid-map", "0:0:1"], "--clone user"),
                (
                    &["exec", "--target", &own, "--clone", "user", "--as", "5:5"],
                    "--as 5:5: the maps do not have it",
                ),
                (&["exec", "--target", &own, "--net", "id"], "write `-- id`"),
                (&["exec", "box", "--clonee", "mount"], "write `-- --clonee`"),
                (&["exec", "--clonee", "mount", "box"], "did you mean `--clone`?"),
            ] {
                let ended = call(bench, words).finish()?.must_end_with(2)?;
                ended.must_complain(&[says])?.must_write("").with_context(|| words.join(" "))?;
            }
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        11,
        "a shell of exec says whose root you are, and how to leave",
        "a person who joins a container must see in which one they are: say it before the shell",
        |bench| {
            let running = container(bench, "box", &[])?;
            let mut terminal = Terminal::of(call(bench, &["exec", "-ti", "box"]))?;
            terminal.until("You are root in here (hostname box), in ")?;
            let number = terminal.until(" new namespace")?;
            let new = new_namespaces(running.command()?)?;
            ensure!(number == new.to_string(), "it says {number} namespaces, and there are {new}");
            terminal.until("Leave: exit, Ctrl-D")?;
            terminal.until("root@box:/# ")?;
            terminal.write("exit 7\n")?;
            ensure!(terminal.end()? == 7, "the shell's status is lost");
            running.release()?.must_end_with(0)?;
            holds()
        },
    )
    .not_in_the_workshop(),
];
