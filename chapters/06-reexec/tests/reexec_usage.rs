//! The example captures the output of its second start.

use std::{env, path::PathBuf, process::Command};

/// Cargo builds a package's examples before its tests, beside the folder that this test is in.
fn example() -> PathBuf {
    let own = env::current_exe().expect("this test has a file");
    own.parent()
        .and_then(|deps| deps.parent())
        .expect("target/PROFILE/deps")
        .join("examples/reexec_usage")
}

#[test]
fn the_parent_captures_what_the_function_wrote() {
    let output = Command::new(example())
        .env("RUST_LOG", "debug")
        .output()
        .expect("the example is built");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(output.stdout.is_empty(), "the function's output is captured, not passed on");

    let position =
        |words: &str| said.find(words).unwrap_or_else(|| panic!("{words:?} is not in {said}"));
    let first = position("the first start");
    let captured = position("func1 wrote this to standard output: \"process ");
    let second = position("init: argv[0] is func1, so I run it");
    let end = position("that was all");
    assert!(first < captured && captured < second && second < end, "{said}");

    // The function ran in another process than the parent.
    let pid = |line: &str| {
        line.split_once('[')
            .and_then(|(_, rest)| rest.split_once(']'))
            .map(|(pid, _)| pid.to_owned())
    };
    let speaker = |words: &str| said.lines().find(|line| line.contains(words)).and_then(pid);
    assert_ne!(speaker("the first start"), speaker("take a deep breath"));
}
