//! Chapter 10: what of a process is joined, and whether it is still that process.

use std::{collections::BTreeMap, fs, os::unix::process::CommandExt, thread, time::Duration};

use anyhow::{Context, ensure};
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
};

use super::{
    Check, Outcome,
    ch04::{filter, statement},
    ch10::{container, entry, exec, nsenter},
    holds, namespaces_of, own_namespaces, read_namespaces,
};
use crate::{
    User,
    bench::{Bench, Running},
    patience,
    process::{self, children_of},
    repetitions,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        10,
        "only the namespaces that were asked for are joined",
        "setns(2) joins the kinds that its flags name, and no other",
        |bench| {
            let running = container(bench, "box", &["--rootfs", "/"])?;
            let (own, theirs) = (own_namespaces()?, of_command(&running)?);
            let pid = running.command()?.to_string();
            for (asked, joined) in [
                (&["--user", "--net"][..], &["user", "net"][..]),
                (&["--user", "--uts", "--ipc"], &["user", "uts", "ipc"]),
                (&["--user", "--mount", "--pid"], &["user", "mnt", "pid"]),
                (&["--user"], &["user"]),
            ] {
                for how in [&[][..], &["--one-by-one"]] {
                    let found = of_exec(bench, &[&["--target", &pid], asked, how].concat())?;
                    let expected: BTreeMap<_, _> = own
                        .iter()
                        .map(|(kind, own)| {
                            (
                                *kind,
                                if joined.contains(kind) {
                                    &theirs[kind]
                                } else {
                                    own
                                }
                                .clone(),
                            )
                        })
                        .collect();
                    ensure!(
                        found == expected,
                        "{asked:?}: it is in {found:?}, not in {expected:?}"
                    );
                }
            }
            let all = of_exec(bench, &["--target", &pid, "--all"])?;
            ensure!(all == theirs, "--all: it is in {all:?}, not in {theirs:?}");
            // Without the user namespace it takes a privilege, which root has and nobody else.
            let net =
                exec(bench, &["--target", &pid, "--net"], "readlink /proc/self/ns/net").finish()?;
            match bench.user {
                User::Root => {
                    drop(net.must_end_with(0)?.must_write(&format!("{}\n", theirs["net"]))?)
                }
                User::Ordinary => drop(net.must_end_with(125)?.must_complain(&[
                    "setns: network",
                    "CAP_SYS_ADMIN",
                    "--user",
                ])?),
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        10,
        "one by one, the user namespace comes first",
        "open all files first, for behind the mount namespace /proc is another; and the user \
         namespace must be the first: it gives the capabilities that the others take",
        |bench| {
            let running = container(bench, "box", &["--rootfs", "/"])?;
            let (theirs, pid) = (of_command(&running)?, running.command()?.to_string());
            let found = of_exec(bench, &["--target", &pid, "--all", "--one-by-one"])?;
            ensure!(found == theirs, "it is in {found:?}, not in {theirs:?}");
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "where setns takes no pidfd, or it is not asked to, the files are joined one by one",
        "before Linux 5.8 setns(2) takes one file and one kind: EINVAL for a pidfd; \
         --one-by-one does not try",
        |bench| {
            let running = container(bench, "box", &["--rootfs", "/"])?;
            let theirs = of_command(&running)?;
            let with = |errno: Errno, words: &[&str]| {
                // SAFETY: prctl(2) is async-signal-safe, and `refuse_several` allocates nothing.
                let run = exec(bench, words, &read_namespaces()).with(|command| unsafe {
                    command.pre_exec(move || refuse_several(errno));
                });
                run.finish()
            };
            for (errno, words) in
                [(Errno::EINVAL, &["box"][..]), (Errno::EPERM, &["--one-by-one", "box"])]
            {
                let found = namespaces_of(&with(errno, words)?.must_end_with(0)?.text())?;
                ensure!(found == theirs, "{words:?}: it is in {found:?}, not in {theirs:?}");
            }
            let refused = with(Errno::EPERM, &["box"])?.must_end_with(125)?.must_write("")?;
            refused.must_complain(&["setns", "not permitted"])?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "a target that has ended, or whose pid is another's, is an error",
        "a pid may be another process's by now: a pidfd and the start time say whether it is \
         the same",
        |bench| {
            let target = bench.run("sleep", ["1000"]).start()?;
            let pid = target.pid().to_string();
            exec(bench, &["--target", &pid, "--net"], "true").finish()?.must_end_with(0)?;
            target.signal(Signal::SIGKILL)?;
            // A zombie first, and then nobody.
            let zombie = exec(bench, &["--target", &pid, "--all"], "echo run")
                .finish()?
                .must_end_with(125)?
                .must_write("")?;
            zombie.must_complain(&[&format!("process {pid} has ended")])?;
            target.finish()?.must_end_with(137)?;
            let nobody = exec(bench, &["--target", &pid, "--all"], "echo run")
                .finish()?
                .must_end_with(125)?
                .must_write("")?;
            nobody.must_complain(&[&format!("there is no process {pid}")])?;
            if bench.user == User::Ordinary {
                let others = exec(bench, &["--target", "1", "--all"], "echo run")
                    .finish()?
                    .must_end_with(125)?;
                others
                    .must_write("")?
                    .must_complain(&["process 1 is not yours", "ermission denied"])?;
            }

            // An entry with the pid of a process that started at another time: the pid was reused.
            let running = container(bench, "box", &[])?;
            let text = fs::read_to_string(entry(bench, "box"))?;
            let (container, start) =
                text.trim_end().rsplit_once(' ').context("an entry ends with a start time")?;
            let earlier = start.parse::<u64>()? - 1;
            fs::write(entry(bench, "box"), format!("{container} {earlier}\n"))?;
            let reused =
                exec(bench, &["box"], "echo run").finish()?.must_end_with(125)?.must_write("")?;
            reused.must_complain(&["box has ended", "another"])?;
            fs::write(entry(bench, "box"), &text)?;
            exec(bench, &["box"], "true").finish()?.must_end_with(0)?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "a target that ends meanwhile is joined, or refused in one line",
        "whatever was found by a pid is the target's only if the pidfd says afterwards that \
         it still runs",
        |bench| {
            for how in [&["box"][..], &["--one-by-one", "box"]] {
                for step in (0..16).step_by(16 / repetitions(16) as usize) {
                    let running = container(bench, "box", &["-q"])?;
                    let theirs = of_command(&running)?;
                    let inside =
                        exec(bench, how, &format!("{}; exit 7", read_namespaces())).start()?;
                    thread::sleep(patience(Duration::from_millis(1)) * step);
                    running.signal(Signal::SIGKILL)?;
                    let ended = inside.finish()?;
                    match ended.status() {
                        7 => {
                            let found = namespaces_of(&ended.text())?;
                            ensure!(found == theirs, "it is in {found:?}, not in {theirs:?}");
                        }
                        137 => {} // it was in the container when that ended
                        125 => drop(ended.must_write("")?.must_complain(&[": "])?),
                        status => ensure!(false, "status {status}; it said {}", ended.errors),
                    }
                    running.finish()?.must_end_with(137)?;
                    crate::host::nobody_stays()?;
                }
            }
            nsenter(bench, &["ps"]).finish()?.must_end_with(0)?; // clears what was killed
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        10,
        "the target's own root is the command's",
        "setns(2) leads to the root of the mount namespace; a target that has changed its \
         root is elsewhere",
        |bench| {
            if let Some(reason) = bench.no_user_namespace()? {
                return Ok(Outcome::Skipped(reason));
            }
            let running = jailed(bench, "/bin")?;
            let pid = running.pid().to_string();
            for how in [&["--all"][..], &["--all", "--one-by-one"]] {
                let run =
                    exec(bench, &[&["--target", &pid], how].concat(), "cat /in-the-jail; pwd");
                run.finish()?.must_end_with(0)?.must_write("jailed\n/bin\n")?;
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "a working directory outside of the root is refused",
        "from a working directory that the root does not contain, .. leads to the host \
         (CVE-2024-21626): getcwd(2) knows no path to it",
        |bench| {
            if let Some(reason) = bench.no_user_namespace()? {
                return Ok(Outcome::Skipped(reason));
            }
            let running = jailed(bench, "outside")?;
            let pid = running.pid().to_string();
            for how in [&[][..], &["--one-by-one"], &["--workdir", ".."]] {
                let refused = exec(
                    bench,
                    &[&["--target", &pid, "--all"], how].concat(),
                    "cat ../../etc/passwd",
                )
                .finish()?;
                refused
                    .must_end_with(125)?
                    .must_write("")?
                    .must_complain(&["working directory is outside"])?;
            }
            let inside = exec(bench, &["--target", &pid, "--all", "--workdir", "/bin"], "pwd");
            let inside = inside
                .finish()?
                .must_end_with(0)
                .context("with --workdir /bin, which is inside")?;
            inside.must_write("/bin\n")?;
            running.release()?.must_end_with(0)?;
            // A descriptor of a folder of the host is no working directory either: none reaches CHILD.
            let running = container(bench, "box", &[])?;
            let leaked = exec(bench, &["--workdir", "/proc/self/fd/9", "box"], "pwd");
            let leaked = leaked
                .under(&["sh", "-c", "exec 9</; exec \"$0\" \"$@\""])
                .finish()?
                .must_end_with(125)?;
            leaked.must_write("")?.must_complain(&["chdir to /proc/self/fd/9"])?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "--clone makes new namespaces beside those that are joined",
        "INIT is cloned with the flags of the new namespaces, after CHILD has joined the \
         others",
        |bench| {
            let running = container(bench, "box", &["--rootfs", "/"])?;
            let (own, theirs) = (own_namespaces()?, of_command(&running)?);
            let pid = running.command()?.to_string();
            let words = ["--target", &pid, "--user", "--net", "--clone", "uts,mount,pid"];
            let found = of_exec(bench, &words)?;
            for kind in super::KINDS {
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
        10,
        "--clone user has the maps that were asked for",
        "the parent writes the maps while INIT waits at the gate, as for any container",
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
            ensure!(found == expected, "maps and ids are {found:?}, not {expected:?}");
            let (uid_map, gid_map) = (format!("7:{uid}:1"), format!("8:{gid}:1"));
            let asked =
                [&words[..], &["--uid-map", &uid_map, "--gid-map", &gid_map, "--as", "7:8"]]
                    .concat();
            let found =
                exec(bench, &asked, "cat /proc/self/uid_map /proc/self/gid_map; id -u; id -g")
                    .finish()?;
            let expected = ["7", &uid, "1", "8", &gid, "1", "7", "8"];
            let found = words_of(found.must_end_with(0)?.text());
            ensure!(found == expected, "maps and ids are {found:?}, not {expected:?}");
            target.signal(Signal::SIGKILL)?;
            target.finish()?.must_end_with(137)?;
            holds()
        },
    ),
    Check::new(
        10,
        "a target in one's own user namespace has the ids that it has",
        "the outer ids of a map are the reader's only if the reader is in another user \
         namespace",
        |bench| {
            if let Some(reason) = bench.no_user_namespace()? {
                return Ok(Outcome::Skipped(reason));
            }
            let stage = bench.binary.display();
            // It is in its own network when it says so.
            // It is in its own network when the file is there.
            let script = format!(
                "unshare -n sh -c 'echo >ready; exec sleep 1000' &
                 until [ -s ready ]; do sleep 0.01; done
                 {stage} exec -q --target $! --all -- id -u; kill $!"
            );
            let ended = bench.run("sh", ["-c", &script]).under(&["unshare", "-r"]).finish()?;
            ended.must_end_with(0)?.must_write("0\n")?;
            holds()
        },
    ),
    Check::new(
        10,
        "a target whose working directory nobody may read can be joined",
        "to be in a folder takes no permission to read it: O_PATH",
        |bench| {
            let script = "mkdir /closed && cd /closed && chmod 0 . && echo up && cat";
            let running = super::ch10::container_that(bench, "box", &["-q"], script)?;
            for how in [&["box"][..], &["--one-by-one", "box"]] {
                exec(bench, how, "pwd").finish()?.must_end_with(0)?.must_write("/closed\n")?;
            }
            running.release()?.must_end_with(0)?;
            // One that is gone is no place to be; elsewhere is.
            let script = "mkdir /gone && cd /gone && rmdir /gone && echo up && cat";
            let running = super::ch10::container_that(bench, "box", &["-q"], script)?;
            exec(bench, &["box"], "pwd")
                .finish()?
                .must_end_with(125)?
                .must_complain(&["was deleted", "--workdir /"])?;
            exec(bench, &["--workdir", "/", "box"], "pwd")
                .finish()?
                .must_end_with(0)?
                .must_write("/\n")?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        10,
        "CHILD killed at any moment ends exec, and nothing waits for it",
        "INIT holds CHILD's end of the init pipe too: that no word comes is seen by CHILD's \
         end, not by the pipe's",
        |bench| {
            let running = container(bench, "box", &["-q"])?;
            let mut killed = 0;
            for round in (0..60).step_by(60 / repetitions(60) as usize) {
                let inside = exec(bench, &["box"], "exit 7").start()?;
                let child = loop {
                    let found = children_of(inside.pid())
                        .unwrap_or_default()
                        .into_iter()
                        .find(|pid| process::name(*pid) == "nsenter:CHILD");
                    let ended = process::has_ended(inside.pid());
                    if found.is_some() || ended {
                        break found;
                    }
                };
                thread::sleep(Duration::from_micros(50 * round));
                if let Some(child) = child {
                    // Between this look and the signal it may have left: then nobody has the pid yet.
                    let _ = kill(child, Signal::SIGKILL);
                }
                match inside.finish()?.status() {
                    7 => {}
                    137 | 125 => killed += 1,
                    status => ensure!(false, "status {status}"),
                }
            }
            ensure!(killed > 0, "CHILD was never killed in time: nothing was proven");
            running.release()?.must_end_with(0)?;
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        10,
        "--as is whom the command runs as",
        "an id means something in its user namespace only: one that no map contains is \
         EINVAL",
        |bench| {
            let running = container(bench, "box", &[])?;
            let ids = "id -u; id -g; grep Groups: /proc/self/status";
            if bench.user == User::Root {
                let run = exec(bench, &["--as", "1:7", "box"], ids).finish()?.must_end_with(0)?;
                let found: Vec<String> =
                    run.text().lines().map(|line| line.trim_end().to_owned()).collect();
                ensure!(found == ["1", "7", "Groups:"], "its ids are {found:?}");
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
];

/// The namespaces of the container in which this runs.
fn of_command(running: &Running) -> anyhow::Result<BTreeMap<&'static str, String>> {
    let pid = running.command()?;
    let link = |kind| fs::read_link(format!("/proc/{pid}/ns/{kind}")).context("read a link");
    super::KINDS
        .iter()
        .map(|kind| Ok((*kind, link(kind)?.display().to_string())))
        .collect()
}

/// The namespaces of what `exec WORDS` runs.
fn of_exec(bench: &Bench, words: &[&str]) -> anyhow::Result<BTreeMap<&'static str, String>> {
    namespaces_of(&exec(bench, words, &read_namespaces()).finish()?.must_end_with(0)?.text())
}

/// From now on setns(2) with more than one flag is answered with `errno`.
fn refuse_several(errno: Errno) -> std::io::Result<()> {
    const FLAGS: u32 = 24; // the second argument in a seccomp_data
    filter(&mut [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 6, libc::SYS_setns as u32),
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, FLAGS),
        statement(libc::BPF_MISC | libc::BPF_TAX, 0, 0, 0),
        statement(libc::BPF_ALU | libc::BPF_SUB | libc::BPF_K, 0, 0, 1),
        statement(libc::BPF_ALU | libc::BPF_AND | libc::BPF_X, 0, 0, 0),
        // x & (x - 1) is 0 for one flag.
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, 0, 0),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ])
}

/// A process in a user namespace of its own that has changed its root to a folder of the bench.
fn jailed(bench: &Bench, where_it_stays: &str) -> anyhow::Result<Running> {
    let jail = bench.folder("jail")?;
    let root = jail.display().to_string();
    bench.run(bench.other("rootfs"), [&root]).finish()?.must_end_with(0)?;
    fs::write(jail.join("in-the-jail"), "jailed\n")?;
    let run = bench.run(bench.other("inside"), ["jail", &root, where_it_stays]);
    let mut running = run.under(&["unshare", "-r"]).start_waiting()?;
    running.until("ready\n")?;
    Ok(running)
}
