//! Chapter 5: which maps there are, and who may write them.

use std::{os::unix::process::CommandExt, time::Duration};

use anyhow::ensure;
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
};

use crate::{
    Outcome, User,
    checks::{Check, holds},
    process::wait_for_end,
    repetitions,
    terminal::Terminal,
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        5,
        "a map that makes no sense is refused before anything is cloned",
        "check the map before clone(2), and name the wrong line: the kernel's EINVAL does not",
        |bench| {
            let wrong: [(&[&str], &str); 11] = [
                (&["--uid-map", ""], "three numbers"),
                (&["--uid-map", "0:1000"], "three numbers"),
                (&["--uid-map", "a:0:1"], "IN is \"a\""),
                (&["--uid-map", "0:-1:1"], "OUT is \"-1\""),
                (&["--gid-map", "0:0:0"], "SIZE is 0"),
                (&["--uid-map", "0:0:4294967296"], "SIZE is"),
                (&["--uid-map", "2:0:4294967295"], "more than"),
                (&["--uid-map", "0:1000:2", "--uid-map", "1:5000:1"], "overlap inside"),
                (&["--gid-map", "0:1000:2", "--gid-map", "2:1001:1"], "overlap outside"),
                (&["--user", "+0:0"], "\"+0\" is not an id"),
                (&["--user", "0:4294967295"], "\"4294967295\" is not an id"),
            ];
            for (options, reason) in wrong {
                let words = options.iter().copied().chain(["--", "echo", "ran"]);
                let ended = bench.stage(words).finish()?.must_end_with(2)?;
                let ended = ended.must_complain(&[reason])?;
                ensure!(
                    !ended.errors.contains("cloning"),
                    "{options}: something was cloned first",
                    options = told(&options)
                );
                ended.must_write("")?;
            }
            holds()
        },
    ),
    Check::new(
        5,
        "a map that is too long for the kernel is refused before anything is cloned",
        "the kernel takes 340 lines at most, and less than 4096 bytes: 340 lines of large numbers \
         are longer",
        |bench| {
            let options = |ids: &mut dyn Iterator<Item = u32>| {
                let line = |id: u32| ["--uid-map".to_owned(), format!("{id}:{id}:1")];
                let command = ["--", "echo", "ran"].map(str::to_owned);
                ids.flat_map(line).chain(command).collect::<Vec<String>>()
            };
            let large = 4_000_000_000_u32;
            let (bytes, lines) =
                (options(&mut (0..1).chain(large..large + 339)), options(&mut (0..341)));
            for words in [bytes, lines] {
                let ended = bench.stage(words).finish()?.must_end_with(2)?.must_write("")?;
                ensure!(!ended.errors.contains("cloning"), "something was cloned first");
                ended.must_complain(&["uid_map"])?;
            }
            if bench.user == User::Root {
                let most = bench.stage(options(&mut (0..340))).finish()?;
                most.must_end_with(0)?.must_write("ran\n")?;
            }
            holds()
        },
    ),
    Check::new(
        5,
        "root without CAP_SETFCAP is told what it lacks",
        "a map that contains the parent namespace's uid 0 takes CAP_SETFCAP (since Linux 5.12): \
         root inside could give files capabilities that count outside",
        |bench| {
            // From 12 on the default map does not contain it.
            let uid_0 = if bench.stage < 12 {
                &[][..]
            } else {
                &["--uid-map", "0:0:1"]
            };
            let run = bench.stage([uid_0, &["echo", "ran"]].concat()).with(|command| {
                // SAFETY: prctl with PR_CAPBSET_DROP takes numbers: no lock, no allocation.
                unsafe {
                    command.pre_exec(|| {
                        const CAP_SETFCAP: libc::c_ulong = 31;
                        Errno::result(libc::prctl(libc::PR_CAPBSET_DROP, CAP_SETFCAP, 0, 0, 0))?;
                        Ok(())
                    });
                }
            });
            let ended = run.finish()?;
            if ended.status() == 0 {
                return Ok(Outcome::Skipped("this kernel asks for no such capability".into()));
            }
            ended.must_end_with(125)?.must_complain(&["CAP_SETFCAP"])?.must_write("")?;
            holds()
        },
    )
    .only_as(User::Root),
    Check::new(
        5,
        "a start that fails gives the terminal back",
        "between clone(2) and the wait for the child, each error returns with the terminal lent: \
         take it back wherever the job ends, or the kernel stops the caller (SIGTTIN)",
        |bench| {
            let tty: &[&str] = if bench.stage < 8 { &[] } else { &["-t"] };
            let words = [tty, &["-q", "--uid-map", "0:5:1", "--", "echo", "ran"]].concat();
            // Root of a user namespace that maps nothing but 0; and a script that reads afterwards.
            let script = "\"$0\" \"$@\"; echo ended with $?; read typed; echo got $typed";
            let run = bench.stage(words).under(&["unshare", "-r", "sh", "-c", script]);
            let mut terminal = Terminal::of(run)?;
            terminal.until("ended with 125\r\n")?;
            terminal.write("typed\n")?;
            terminal.until("got typed")?;
            let status = terminal.end()?;
            ensure!(status == 0, "the script's exit status was {status}, not 0");
            holds()
        },
    ),
    Check::new(
        5,
        "a signal that reaches the child before its gate is open ends the stage",
        "a child that ends before its gate is open makes the parent fail: its maps cannot be \
         written (EACCES), nor the word (EPIPE). Let it wait at the gate, and end after that",
        |bench| {
            for _ in 0..repetitions(40) {
                let running = bench.stage(["true"]).start()?;
                while !wait_for_end(running.pid(), Duration::ZERO)? {
                    if let Ok(child) = running.command() {
                        let _ = kill(child, Signal::SIGINT);
                        break;
                    }
                }
                let ended = running.finish()?;
                // Too late, it has ended, or is a PID 1 for which the kernel drops the signal.
                ensure!([130, 0].contains(&ended.status()), "{}: {}", ended.status(), ended.errors);
            }
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        5,
        "a map that the kernel refuses names the rule",
        "the writer's own user namespace must map each id outside, and without CAP_SETUID there \
         only the writer's own id is accepted",
        |bench| {
            // Root of a user namespace that maps nothing but 0.
            let run = bench
                .stage(["--uid-map", "0:5:1", "--", "echo", "ran"])
                .under(&["unshare", "-r"]);
            run.finish()?
                .must_end_with(125)?
                .must_complain(&["uid_map \"0 5 1\"", "user_namespaces(7)"])?
                .must_write("")?;
            // Where /proc is another PID namespace's, /proc/PID is another process.
            let run = bench.stage(["--", "echo", "ran"]).under(&["unshare", "-r", "-p", "-f"]);
            run.finish()?
                .must_end_with(125)?
                .must_complain(&["/proc shows another PID namespace"])?
                .must_write("")?;
            holds()
        },
    ),
    Check::new(
        5,
        "a map of several lines reaches the kernel as one text",
        "write the whole map in one write(2), a line for each range: a map is taken only once",
        |bench| {
            // Root of a user namespace that maps nothing but 0: the kernel refuses the second line,
            // and had it not been part of the text, it would have taken the first.
            let run = bench
                .stage(["--uid-map", "0:0:1", "--uid-map", "5:7:1", "--", "echo", "ran"])
                .under(&["unshare", "-r"]);
            run.finish()?
                .must_end_with(125)?
                .must_complain(&["uid_map \"0 0 1, 5 7 1\"", "each id outside must be mapped"])?
                .must_write("")?;
            holds()
        },
    ),
    Check::new(
        5,
        "a map of several lines is written in one piece",
        "write the whole map in one write(2), a line for each range: a map is taken only once",
        |bench| {
            let options = [
                "--uid-map",
                "0:0:1",
                "--uid-map",
                "5:7:2",
                "--gid-map",
                "0:0:1",
                "--gid-map",
                "9:3:4",
            ];
            let script = "echo $(cat /proc/self/uid_map); echo $(cat /proc/self/gid_map)";
            let ended = bench
                .stage(options.into_iter().chain(["--", "sh", "-c", script]))
                .finish()?
                .must_end_with(0)?;
            ended.must_write("0 0 1 5 7 2\n0 0 1 9 3 4\n")?;
            holds()
        },
    )
    // For an ordinary user newuidmap writes it: the next check.
    .only_as(User::Root),
];
