//! What the reader makes of real output: of a package with a library, and three programs of tests.

use super::*;

/// `cargo test --no-fail-fast -- --test-threads 1`: a test's name is written before it runs, so
/// what its child writes comes between the name and the outcome.
const PLAIN: &str = include_str!("samples/plain.txt");

/// On a terminal, with threads: what a child writes comes before a test's line, or in it.
const COLORED: &str = include_str!("samples/colored.txt");

fn read(text: &str, size: usize) -> Vec<Program> {
    let mut reader = Reader::default();
    for chunk in text.as_bytes().chunks(size) {
        reader.bytes(chunk);
    }
    reader.programs()
}

fn summary(text: &str) -> Summary {
    Summary::of(&read(text, 8192), |_, _| true, Some("cargo test ended".into()))
}

fn failures(text: &str) -> Vec<String> {
    summary(text).failures
}

#[test]
fn every_failure_is_named() {
    assert_eq!(
        failures(PLAIN),
        [
            "mini, unit tests: tests::is_wrong",
            "acceptance: 12-walls as user: 11 exec has the container's ids",
            "killed: ended without a result (signal: 9, SIGKILL: kill), in: kills_itself",
            "unready: ended without a result (exit status: 101): \
             unready: doctor is not built: `make test` builds it",
        ]
    );
}

#[test]
fn skips_are_grouped_by_their_reason() {
    let text = summary(PLAIN).text(Styles::default());
    let (skips, _) = text.split_once("Failed\n").expect("something failed");
    assert_eq!(
        skips,
        "Skipped\n    2  newuidmap is not installed: install the package uidmap\n       \
         acceptance: 05 a map with more ids goes through newuidmap (2 times)\n    \
         1  it needs a printer\n       mini, unit tests: tests::needs_a_printer\n    \
         1  no limit on swap: see swapon(8)\n       acceptance: 07 stress under 100m\n    \
         1  no reason was given\n       mini, unit tests: tests::says_no_why\n"
    );
    assert_eq!(text.lines().last(), Some("5 passed, 4 failed, 5 skipped"));
}

#[test]
fn colors_threads_and_cut_bytes_make_no_difference() {
    for size in [1, 7, 8192] {
        let programs = read(COLORED, size);
        let summary = Summary::of(&programs, |_, _| true, None);
        assert_eq!(summary.skips, self::summary(PLAIN).skips);
        assert_eq!((summary.passed, summary.failures.len()), (5, 4));
        assert_eq!(
            programs.iter().map(|program| program.passed).collect::<Vec<_>>(),
            [2, 1, 1, 0, 1]
        );
    }
}

#[test]
fn a_skip_that_is_not_expected_fails() {
    let may_skip = |test: &str, reason: &str| !test.contains("07") && !reason.contains("printer");
    let summary = Summary::of(&read(PLAIN, 99), may_skip, None);
    assert_eq!(summary.skipped(), 2);
    let unexpected: Vec<_> =
        summary.failures.iter().filter(|failure| failure.contains("skipped")).collect();
    assert_eq!(unexpected.len(), 3, "{unexpected:?}");
    assert_eq!(
        unexpected[0],
        "mini, unit tests: tests::needs_a_printer: skipped, and CI expects no skip: \
         it needs a printer"
    );
}

#[test]
fn a_skip_whose_line_is_torn_is_counted() {
    let torn = PLAIN.replacen("test tests::says_no_why ... ignored\n", "torn\n", 1);
    let summary = summary(&torn);
    assert_eq!(summary.skipped(), 5);
    assert_eq!(
        summary.skips["its line was not understood"],
        ["mini, unit tests"],
        "{:?}",
        summary.skips
    );
}

#[test]
fn what_does_not_build_fails_with_cargos_end() {
    let text = "error[E0425]: cannot find value `x`\nerror: could not compile `lab`\n";
    assert_eq!(failures(text), ["cargo test ended"]);
}

#[test]
fn a_program_that_fails_without_a_test_is_named() {
    let text = "     Running acceptance.rs (target/debug/deps/acceptance-4bd52)\n\n\
                running 1 test\ntest a ... ok\n\n\
                test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\n\
                error: test failed, to rerun pass `-p judge --test acceptance`\n\nCaused by:\n  \
                process didn't exit successfully: `target/debug/deps/acceptance-4bd52` \
                (exit status: 3)\n";
    assert_eq!(failures(text), ["acceptance: no test failed, but it did (exit status: 3)"]);
}

#[test]
fn what_was_cut_off_says_where() {
    let (text, _) = PLAIN.split_once("a note without an end").expect("it is in the sample");
    let failures = failures(text);
    assert_eq!(
        failures.last().map(String::as_str),
        Some(
            "acceptance: ended without a result, in: 07-cgroup-memory as user: 07 stress under 100m"
        )
    );
}
