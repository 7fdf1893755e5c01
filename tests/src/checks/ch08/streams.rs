//! Chapter 8: what a container gets as standard input, output and error.

use std::fs::{self, File};

use anyhow::ensure;

use crate::{
    Bench,
    bench::Run,
    checks::{Check, holds},
    terminal::Terminal,
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        8,
        "standard input is passed on only with -i, the terminal only with -t",
        "pass on only what the options name: a container that has your terminal can type into it",
        |bench| {
            bench
                .stage(["cat"])
                .input("through")
                .finish()?
                .must_end_with(0)?
                .must_write("through")?;
            run(bench, &[], &["cat"])
                .input("lost")
                .finish()?
                .must_end_with(0)?
                .must_write("")?;
            let ended = bench.stage(["-t", "--", "echo", "ran"]).finish()?.must_end_with(2)?;
            ended.must_complain(&["-t", "no terminal"])?.must_write("")?;
            // The session of its own: the command leads it.
            bench
                .script("cut -d' ' -f6 /proc/self/stat")
                .finish()?
                .must_end_with(0)?
                .must_write("1\n")?;
            holds()
        },
    ),
    Check::new(
        8,
        "a shell that gets no input is told why it ends",
        "a shell that reads an empty input ends at once and says nothing: the log is the only \
         place that can tell why",
        |bench| {
            let says = |options: &[&str], command: &[&str]| {
                let ended = run(bench, options, command).input("exit 3\n").finish()?;
                let lines = ended.errors.lines().filter(|line| line.contains("input is empty"));
                let lines: Vec<&str> = lines.collect();
                let expected = lines.iter().all(|line| line.contains("-i") && line.contains("-t"));
                ensure!(expected, "it says {lines}", lines = told(&lines));
                anyhow::Ok((ended.status(), lines.len()))
            };
            for shell in [&["sh"][..], &["/bin/sh", "-e"], &[]] {
                let (told_once, told_nothing) = (says(&[], shell)?, says(&["-i"], shell)?);
                ensure!(told_once == (0, 1), "{shell:?}: status and lines are {told_once:?}");
                ensure!(told_nothing == (3, 0), "{shell:?} -i: {told_nothing:?}");
            }
            for command in [&["true"][..], &["sh", "-c", "true"]] {
                let found = says(&[], command)?;
                ensure!(found == (0, 0), "{command:?}: status and lines are {found:?}");
            }
            let found = says(&["-q"], &["sh"])?;
            ensure!(found == (0, 0), "with -q: status and lines are {found:?}");
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        8,
        "a word in place of a subcommand is told what there is",
        "an error names the way out: here, the subcommands that there are, and the nearest one",
        |bench| {
            for (words, says) in [
                (&["sh"][..], &["'sh'", "did you mean `run sh`?", "run"][..]),
                (&["ru"], &["'ru'", "did you mean `run`?"]),
                (&["nosuch-word"], &["'nosuch-word'", "The subcommands are run"]),
                (&["--hostname", "box", "sh"], &["did you mean `run --hostname`?"]),
                (&["run", "--hostnam", "box"], &["did you mean `--hostname`?"]),
            ] {
                let ended = bench.run(&bench.binary, words).finish()?.must_end_with(2)?;
                ended.must_complain(says)?.must_write("")?;
            }
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        8,
        "without -t nothing is read from the terminal, and nothing of it is set",
        "without -t, hand over a pipe and copy: a login shell opens the terminal for reading and \
         writing, so a program that has it as its output can read what you type",
        |bench| {
            let script = "for fd in 0 1 2; do stty -echo <&$fd; done 2>/dev/null
                          read word <&1; read word <&2; echo \"read: $word.\"";
            for options in [&[][..], &["--init"]] {
                let run = run(bench, options, &["sh", "-c", script]);
                let mut terminal = Terminal::of(run)?;
                let before = terminal.first_flags();
                terminal.write("secret\n")?;
                terminal.until("read: .")?;
                ensure!(terminal.flags()? == before, "the container has set the terminal");
                let status = terminal.end()?;
                ensure!(status == 0, "the exit status was {status}, not 0");
            }
            holds()
        },
    ),
    Check::new(
        8,
        "a folder on 0, 1 or 2 is refused",
        "refuse a folder as a stream: from any root, an open folder is a way to the host's files \
         (/proc/self/fd/0/..)",
        |bench| {
            let refused = run(bench, &["-i"], &["echo", "ran"]).reading(File::open("/")?);
            let ended = refused.finish()?.must_end_with(2)?.must_write("")?;
            ended.must_complain(&["standard input is a folder"])?;
            for number in [1, 2] {
                let script = format!("exec \"$0\" \"$@\" {number}</");
                let refused = run(bench, &["-i"], &["echo", "ran"]).under(&["sh", "-c", &script]);
                refused.finish()?.must_end_with(2)?.must_write("")?;
            }
            holds()
        },
    ),
    Check::new(
        8,
        "a file on standard input cannot be written to, nor one on standard output read",
        "hand over a pipe in place of a file, and copy: /proc/self/fd/0 opens a file again, with \
         other rights",
        |bench| {
            let input = bench.file("input", "input\n", 0o666)?;
            let before = bench.file("output", "secret\n", 0o666)?;
            let script = "{ echo written >/proc/self/fd/0; } 2>/dev/null
                          timeout 0.2 cat /proc/self/fd/1 2>/dev/null | grep secret; exit 0";
            let words = format!("exec \"$0\" \"$@\" >>{}", before.display());
            let run = run(bench, &["-i"], &["sh", "-c", script]);
            let run = run.reading(File::open(&input)?).under(&["sh", "-c", &words]);
            run.finish()?.must_end_with(0)?;
            let (input, output) = (fs::read_to_string(input)?, fs::read_to_string(before)?);
            ensure!(
                input == "input\n",
                "the file on standard input is {input} now",
                input = told(&input)
            );
            ensure!(
                output == "secret\n",
                "the container has read its output: {output}",
                output = told(&output)
            );
            holds()
        },
    ),
    Check::new(
        8,
        "all that is written arrives, and what is read is all there is",
        "copy to the end, and end with the container: its output must all arrive, and it need not \
         read its input",
        |bench| {
            let much = "line\n".repeat(200_000);
            let ended = bench.stage(["cat"]).input(&*much).finish()?.must_end_with(0)?;
            ensure!(ended.output == much.as_bytes(), "{} bytes arrived", ended.output.len());
            bench.stage(["true"]).input(&*much).finish()?.must_end_with(0)?.must_write("")?;
            let script = "echo one; echo two >&2; echo three; exec head -c 1000000 /dev/zero";
            let ended = run(bench, &["-q"], &["sh", "-c", script]).merged().finish()?;
            let ended = ended.must_end_with(0)?;
            ensure!(ended.output.starts_with(b"one\ntwo\nthree\n\0"), "they changed their order");
            ensure!(ended.output.len() == 1_000_014, "{} bytes arrived", ended.output.len());
            holds()
        },
    ),
    Check::new(
        8,
        "output that cannot be written to the end, or not be copied at all, is an error",
        "say it, and end with 125: the command has ended well, but its output is not all there",
        |bench| {
            let to = |place: &str| format!("exec \"$0\" \"$@\" >>{place}");
            let full =
                run(bench, &["-q"], &["echo", "lost"]).under(&["sh", "-c", &to("/dev/full")]);
            let ended = full.finish()?.must_end_with(125)?;
            ended.must_complain(&["standard output", "No space left on device"])?;
            // A stack that no thread can have.
            let output = bench.file("output", "", 0o666)?.display().to_string();
            let stack = (1_u64 << 50).to_string();
            let run = run(bench, &["-q"], &["echo", "lost"]).env("RUST_MIN_STACK", stack);
            let ended = run.under(&["sh", "-c", &to(&output)]).finish()?.must_end_with(125)?;
            ended.must_complain(&["start a thread", "Resource temporarily unavailable"])?;
            let written = fs::read_to_string(output)?;
            ensure!(written.is_empty(), "the command has run: {}", told(&written));
            holds()
        },
    )
    .not_in_the_workshop(),
];

/// `run OPTIONS -- COMMAND`, at the host's files: bench.stage adds -i.
fn run<'a>(bench: &'a Bench, options: &[&str], command: &[&str]) -> Run<'a> {
    let rootfs: &[&str] = if bench.stage < 9 {
        &[]
    } else {
        &["--rootfs", "/"]
    };
    bench.run(&bench.binary, [&["run"], options, rootfs, &["--"], command].concat())
}
