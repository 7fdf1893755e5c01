//! Is every word found?

use std::collections::BTreeSet;

use anyhow::ensure;
use libtest_mimic::Trial;

use super::{must_be_known, must_go_on, must_not_loop, shell::commands, sources, used_in};
use crate::harness::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("words: a word on no list is found out, with its file", unknown),
        trial("words: those in command position are found, and no others", found),
        trial("words: a script that is no script is refused", refused),
        trial("words: a loop is found out", loops),
        trial("words: a line that begins another command is found out", lines),
        trial("words: the scripts of a check are found, and no other text", in_checks),
    ]
}

fn unknown() -> anyhow::Result<()> {
    let known = |script: &str| {
        let scripts = vec![("page.console".to_owned(), script.to_owned())];
        must_be_known(used_in(scripts)?, &BTreeSet::from(["06-reexec".to_owned()]))
    };
    known("cargo run --bin 06-reexec -- -q sh -c 'cat /etc/passwd | wc -l; ./made-here'")?;
    for script in [
        "frobnicate",
        "cargo run --bin 06-reexec -- -q sh -c 'cat x | frobnicate -l'",
        "echo $(timeout 10 frobnicate)",
        "/usr/bin/frobnicate",
    ] {
        let error = known(script).err().map(|error| error.to_string()).unwrap_or_default();
        ensure!(error.contains("frobnicate` in page.console"), "{script}: {error:?}");
    }
    Ok(())
}

fn found() -> anyhow::Result<()> {
    for (script, expected) in [
        ("a b c", "a"),
        ("a; b & c | d && e || f", "a b c d e f"),
        ("a 'b; c' \"d; e\" f\\;g", "a"),
        ("A=1 B='2 3' a b=c", "a"),
        ("a >b 2>&1 <c; 2>/dev/null d 3", "a d"),
        ("a # b; c\nd", "a d"),
        ("(a b; c) | { d; e; }", "a c d e"),
        ("if a; then b; elif c; then d; else e; fi; f", "a b c d e f"),
        ("until a; do b; done; while ! c; do d; done 2>e &", "until a b while c d"),
        ("for one in a b; do c; done", "c"),
        ("case a in b|c) d ;; *) e; f;; esac; g", "d e f g"),
        ("f() { a; }; f; b", "a b"),
        ("a $(b $(c d)) \"e $(f)\"", "b c f a"),
        ("a $((1 + 2)) ${b:-c d} $e", "a"),
        ("sh -c 'a b; c \"d e\"' sh f", "sh a c"),
        ("sh -c \"a 'b c'; sh -c \\\"d e\\\"\"", "sh a sh d"),
        ("trap 'a b' TERM; trap - TERM; eval 'c d'", "trap a trap eval c"),
        ("exec env -u x A=1 timeout -s KILL 2 a b", "exec env timeout a"),
        ("unshare -r --propagation shared --pid a b", "unshare a"),
        ("find . -name x -exec a {} +", "find a"),
        ("cargo run --bin 01-uts -- -q --hostname box a b", "cargo 01-uts a"),
        ("cargo run -p ch11-nsenter --example e", "cargo e"),
        ("cargo run -- a -q", "cargo a"),
        ("target/debug/08-pipe-init run -q -e A=1 -- a b", "target/debug/08-pipe-init a"),
        ("11-nsenter exec -q --target 1 --all -- a b", "11-nsenter a"),
        ("12-walls exec -q box a b; 12-walls ps", "12-walls a 12-walls"),
        ("./program -q box -- /proc/self/exe --all -- a b", "./program /proc/self/exe a"),
    ] {
        let mut found = commands(script)?;
        let mut expected: Vec<&str> = expected.split(' ').collect();
        found.sort();
        expected.sort();
        ensure!(found == expected, "{script}: {found:?}");
    }
    Ok(())
}

fn refused() -> anyhow::Result<()> {
    for script in ["a 'b", "a \"b", "a $(b", "(a", "a `b`", "a ${b"] {
        ensure!(commands(script).is_err(), "{script}");
    }
    Ok(())
}

fn in_checks() -> anyhow::Result<()> {
    let code = r##"
        // a comment: script("in a comment; echo")
        let byte = '"';
        "must hold; a sentence, not a script",
        let ended = bench.script("one a").finish()?;
        let ended = script(bench, &["--layer", "low"], &format!("two {}", 1)).finish()?;
        let script = "three
            four";
        bench.run("five", [path])?;
        bench.run("sh", ["-c", r#"six "x""#])?;
        bench.stage(["--hostname", "box", "seven", "x"])?;
        exec(bench, ["run", "-q", "--", "eight", "x"])?;
        const LONG: &str = "echo up; \
            nine; while :; do ten; done";
        run_of(bench, "exit 3")?;
        for (action, why) in [("eleven x", "not this"), ("twelve", CONST)] {}
        for action in ["thirteen", "fourteen x"] {}
    "##;
    let mut found = BTreeSet::new();
    for script in sources::in_rust(code)? {
        found.extend(commands(&script)?);
    }
    let expected = [
        ":", "a-stage", "echo", "eight", "eleven", "five", "four", "fourteen", "nine", "one",
        "seven", "sh", "six", "ten", "thirteen", "three", "twelve", "two", "while",
    ];
    let expected: BTreeSet<String> = expected.map(str::to_owned).into();
    ensure!(found == expected, "{found:?}");
    Ok(())
}

fn loops() -> anyhow::Result<()> {
    must_not_loop("(a &) | head -n 1; echo until; for x in 1 2; do b; done")?;
    for script in ["until a; do b; done", "a; sh -c 'while b; do c; done' &"] {
        ensure!(must_not_loop(script).is_err(), "{script}");
    }
    Ok(())
}

fn lines() -> anyhow::Result<()> {
    for script in ["a", "a \\\nb", "a |\nb", "a &&\nb", "a 'b\nc'", "a $(b\nc)", "(a\nb)"] {
        must_go_on(script)?;
    }
    for script in ["a\nb", "a &\nb", "a 'b\nc'\nd"] {
        ensure!(must_go_on(script).is_err(), "{script:?}");
    }
    Ok(())
}
