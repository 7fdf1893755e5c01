//! What did a guest's tests say, in a few lines?

use std::{collections::BTreeMap, fmt::Write};

use crate::qemu::Ended;

/// How many of the last lines tell what a guest was at when it hung.
const TAIL: usize = 25;

/// A guest's tests as a person wants them: a line if all is well, the doctor's doubts, the
/// skips by their reasons, and everything about a failure. With what failed, a line each.
pub fn of(
    name: &str,
    ended: &Ended,
    doctor: &[&str],
    expected_skips: &str,
) -> (String, Vec<String>) {
    let mut text = format!("== {name}: {}, {:.0} s\n", outcome(ended), ended.time.as_secs_f64());
    let (before, _) = ended.output.split_once("\nrunning ").unwrap_or((&ended.output, ""));
    // Of the doctor's groups, all but the one with the mark of what runs.
    let all_runs = |paragraph: &&str| paragraph.trim_start().starts_with('✓');
    let doubts = before.split("\n\n").filter(|paragraph| !all_runs(paragraph));
    for line in doubts.flat_map(str::lines) {
        writeln!(text, "   {line}").expect("a string takes everything");
    }
    for (reason, tests) in by_reason(&skips(&ended.output)) {
        writeln!(text, "   skipped: {tests}: {reason}").expect("a string takes everything");
    }
    if let Some((_, failures)) = ended.output.split_once("\nfailures:\n") {
        text += failures;
    }
    if ended.status.is_err() {
        text += &format!("-- the end of what the tests wrote\n{}", tail(&ended.output));
        text += &format!("-- the end of the console\n{}", tail(&ended.console));
    }
    let said = before.split_whitespace().collect::<Vec<_>>().join(" "); // it breaks its lines
    let missing = doctor.iter().filter(|words| !said.contains(**words));
    let missing = missing.map(|words| format!("the doctor was to say, and did not: {words}"));
    let unused = unused(expected_skips, &ended.output).into_iter();
    let unused = unused.map(|line| format!("a test was to be skipped, and was not: {line}"));
    let mut failures: Vec<String> = missing.chain(unused).collect();
    for line in &failures {
        writeln!(text, "   FAILED. {line}").expect("a string takes everything");
    }
    failures.extend(failed_tests(&ended.output));
    if ended.status != Ok(0) && failures.is_empty() {
        failures.push(format!("its tests ended with {:?}", ended.status));
    }
    (text, failures)
}

/// From lines such as `test 05-user-idmap as user: 01 what must hold ... FAILED`.
fn failed_tests(output: &str) -> impl Iterator<Item = String> {
    output.lines().filter_map(|line| {
        let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
        Some(name.trim_end().to_owned())
    })
}

fn outcome(ended: &Ended) -> String {
    let result = ended.output.lines().find_map(|line| line.strip_prefix("test result: "));
    match (&ended.status, result) {
        (Ok(_), Some(result)) => result.split("; 0 measured").next().unwrap_or(result).to_owned(),
        (Ok(status), None) => format!(
            "FAILED. the tests did not start, exit status {status}\n{}",
            tail(&ended.output)
        ),
        (Err(reason), _) => format!("FAILED. {reason}"),
    }
}

/// A test that was skipped.
struct Skip<'a> {
    name: &'a str,
    reason: &'a str,
}

/// The lines such as `test 05-user-idmap as user: 01 what must hold ... ignored (the reason)`.
fn skips(output: &str) -> Vec<Skip<'_>> {
    output
        .lines()
        .filter_map(|line| {
            let (name, reason) = line.strip_prefix("test ")?.split_once(" ... ignored (")?;
            Some(Skip {
                name: name.trim_end(),
                reason: reason.strip_suffix(')')?,
            })
        })
        .collect()
}

/// Reason → `20 of 01-uts as user, 3 of doctor as user`.
fn by_reason<'a>(skips: &[Skip<'a>]) -> BTreeMap<&'a str, String> {
    let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for skip in skips {
        let stage = skip.name.split(": ").next().unwrap_or(skip.name);
        *counts.entry(skip.reason).or_default().entry(stage).or_default() += 1;
    }
    let words = |stages: BTreeMap<&str, usize>| {
        stages
            .iter()
            .map(|(stage, count)| format!("{count} of {stage}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    counts.into_iter().map(|(reason, stages)| (reason, words(stages))).collect()
}

/// The lines of a guest's expected skips (see [`crate::guests::Guest`]) that nothing was
/// skipped for: either a test runs there now, or the guest is not what it is said to be.
fn unused<'a>(expected: &'a str, output: &str) -> Vec<&'a str> {
    let skips = skips(output);
    let is_used = |line: &&str| {
        let (name, reason) = line.split_once(" => ").unwrap_or((line, ""));
        skips
            .iter()
            .any(|skip| skip.name.contains(name) && skip.reason.contains(reason))
    };
    expected.lines().filter(|line| !is_used(line)).collect()
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..]
        .iter()
        .map(|line| format!("   {line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ended(output: &str, status: Result<i32, String>) -> Ended {
        Ended {
            output: output.into(),
            console: "one\ntwo\n".into(),
            status,
            time: Duration::from_secs(7),
        }
    }

    const OUTPUT: &str = "Linux 6.1\n\n✓ runs          01-uts\n\n◐ runs in part  09-aufs\n\n\
                          running 3 tests\n\
                          test 09-aufs as user: 09 a  ... ignored (no overlay)\n\
                          test 09-aufs as user: 09 b ... ignored (no overlay)\n\
                          test 01-uts as user: 01 c ... ok\n\n\
                          test result: ok. 1 passed; 0 failed; 2 ignored; 0 measured; 0 filtered\n";

    #[test]
    fn skips_are_counted_by_their_reason_and_the_doctors_doubts_are_shown() {
        let (text, failures) =
            of("g", &ended(OUTPUT, Ok(0)), &["runs in part"], "09-aufs as user => no overlay");
        let expected = "== g: ok. 1 passed; 0 failed; 2 ignored, 7 s\n   Linux 6.1\n\
                        \x20  ◐ runs in part  09-aufs\n\
                        \x20  skipped: 2 of 09-aufs as user: no overlay\n";
        assert_eq!((text.replace("   \n", ""), failures), (expected.into(), vec![]));
    }

    #[test]
    fn what_failed_is_named() {
        let output = OUTPUT.replace("01 c ... ok", "01 c  ... FAILED");
        assert_eq!(of("g", &ended(&output, Ok(101)), &[], "").1, ["01-uts as user: 01 c"]);
        assert_eq!(of("g", &ended(OUTPUT, Ok(1)), &[], "").1, ["its tests ended with Ok(1)"]);
    }

    #[test]
    fn an_expected_skip_that_does_not_happen_is_found() {
        let expected = "09-aufs as user => no overlay\n09-aufs as root => no overlay\n\
                        09-aufs as user => no aufs\n";
        assert_eq!(unused(expected, OUTPUT), expected.lines().skip(1).collect::<Vec<_>>());
        assert_eq!(of("g", &ended(OUTPUT, Ok(0)), &[], expected).1.len(), 2);
        let (text, failures) = of("g", &ended(OUTPUT, Ok(0)), &["does not run"], "");
        assert!(
            failures.len() == 1 && text.contains("was to say, and did not: does not run"),
            "{text}"
        );
    }

    #[test]
    fn a_guest_that_hangs_shows_its_console() {
        let (text, failures) = of("g", &ended("", Err("it hangs".into())), &[], "");
        assert_eq!(failures.len(), 1);
        assert!(text.contains("FAILED. it hangs"), "{text}");
        assert!(text.ends_with("-- the end of the console\n   one\n   two\n"), "{text}");
    }
}
