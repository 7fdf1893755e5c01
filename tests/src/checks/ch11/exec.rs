//! Chapter 11: a command in a container that already runs is in it with all that it has.

use std::{os::unix::process::CommandExt, path::Path, process::Command};

use anyhow::ensure;
use nix::{errno::Errno, unistd::geteuid};

use crate::{
    Bench, Outcome,
    bench::Running,
    cgroups,
    checks::{Check, holds},
    named::{call, container, container_that, exec},
    namespaces, told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        11,
        "exec is in the container's namespaces, all of them",
        "setns(2) takes a pidfd and several kinds at once; a PID namespace that you join is only \
         for the children that you make afterwards",
        |bench| {
            for options in [&["--rootfs", "/"][..], &[]] {
                let running = container(bench, "box", options)?;
                let inside = namespaces::of(running.command()?)?;
                for how in [&["box"][..], &["--one-by-one", "box"]] {
                    let ended =
                        exec(bench, how, &namespaces::script()).finish()?.must_end_with(0)?;
                    let found = namespaces::read_from(&ended.text())?;
                    ensure!(
                        found == inside,
                        "exec {how} is in {found}, and the container in {inside}",
                        how = told(&how),
                        found = told(&found),
                        inside = told(&inside)
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
                        "of its own pids it sees {text}: it is not in the PID namespace of the \
                         /proc that it sees",
                        text = told(&text)
                    );
                }
                running.release()?.must_end_with(0)?;
            }
            holds()
        },
    ),
    Check::new(
        11,
        "exec has the container's ids, root, working directory and cgroup",
        "a container is more than its namespaces: ids, root, working directory and cgroup belong \
         to each process",
        |bench| {
            let running =
                container_that(bench, "box", &["--hostname", "boxed"], "cd /var; echo up; cat")?;
            let look = "hostname; id -u; id -g; pwd; cat /image-layer4.txt; cat \
                        /proc/self/cgroup; grep Groups: /proc/self/status";
            let from_inside = |text: String| {
                cgroups::lasting(&text).lines().map(str::to_owned).collect::<Vec<_>>()
            };
            let found = from_inside(exec(bench, &["box"], look).finish()?.must_end_with(0)?.text());
            ensure!(
                found[..5] == ["boxed", "0", "0", "/var", "4"],
                "exec sees {found}",
                found = told(&found)
            );
            let groups = cgroups::seen_inside(bench, running.command()?)?;
            let joined: Vec<&str> = groups.lines().collect();
            ensure!(
                found[5..found.len() - 1] == joined[..],
                "it is in the groups {}, PID 1 in {joined}",
                told(&&found[5..]),
                joined = told(&joined)
            );
            // Not an empty list: where setgroups is denied, a login's groups cannot be dropped.
            let own = format!("Groups: {}", groups_inside(bench, &running)?);
            let last = found.last().map(|line| line.replace("\t", " ").trim_end().to_owned());
            ensure!(
                last.as_deref() == Some(own.trim_end()),
                "it has {last}, PID 1 {own}",
                last = told(&last),
                own = told(&own)
            );
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
        11,
        "no descriptor above 2, variable or privilege reaches the command of exec",
        "mark what CHILD inherited close-on-exec before it joins: a descriptor of a host folder \
         is a way out (CVE-2024-21626)",
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
            let expected = "HOME=/root\nK=a b\n\
                            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n\
                            0\n1\n2\n3\nNoNewPrivs:\t1\n";
            ensure!(text == expected, "the command has {text} (3 is ls's own)", text = told(&text));
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        11,
        "exec takes its command with -- and without",
        "what stands before the command is exec's, and what follows it is the command's: nobody \
         wants to think of a -- each time",
        |bench| {
            let running = container(bench, "box", &[])?;
            let pid = running.command()?.to_string();
            for words in [
                &["box", "echo", "-q", "--net", "--", "true"][..],
                &["box", "--", "echo", "-q", "--net", "--", "true"],
                &["box", "-e", "K=V", "echo", "-q", "--net", "--", "true"],
                &["--target", &pid, "--all", "--", "echo", "-q", "--net", "--", "true"],
            ] {
                let ended = call(bench, &[&["exec", "-q"], words].concat()).finish()?;
                ended.must_end_with(0)?.must_write("-q --net -- true\n")?;
            }
            let script = ["exec", "-q", "box", "sh", "-c", "readlink /proc/1/ns/uts; exit 7"];
            let inside = namespaces::of(running.command()?)?;
            let found = call(bench, &script).finish()?.must_end_with(7)?;
            found.must_write(&format!("{}\n", inside["uts"]))?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        11,
        "root's supplementary groups do not go into an ordinary user's container",
        "where setgroups is \"deny\", nobody can drop a group: drop them before you join the user \
         namespace",
        |bench| {
            if !geteuid().is_root() {
                return Ok(Outcome::Skipped(
                    "only root has groups that are not an ordinary user's".into(),
                ));
            }
            let running = container(bench, "box", &["-q"])?;
            let pid = running.command()?.to_string();
            let mut command = Command::new(&bench.binary);
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
            ensure!(text.trim_end() == "Groups:", "inside it has {text}", text = told(&text));
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
];

/// The supplementary groups of the container's PID 1, as its user namespace shows them.
fn groups_inside(bench: &Bench, running: &Running) -> anyhow::Result<String> {
    let pid = running.command()?.to_string();
    let words = ["--target", &pid, "--user", "--preserve-credentials"];
    let status = format!("/proc/{pid}/status");
    let words = [&words[..], &["grep", "Groups:", &status]].concat();
    let ended = bench.run("nsenter", words).finish()?.must_end_with(0)?;
    Ok(ended.text().trim_start_matches("Groups:").trim().to_owned())
}
