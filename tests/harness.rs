//! How are the judge's tests run and reported?

use std::{io, process};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use judge::{Outcome, skips};

/// Runs the trials that `prepare` finds, so many at a time (a check looks at the whole machine
/// before and after), and ends this process: 0, or 101 where a trial failed or none could be
/// prepared. What `prepare` returns beside them tidies up at the end.
pub fn run<F: FnOnce() -> io::Result<()>>(
    name: &str,
    at_once: usize,
    prepare: impl FnOnce() -> anyhow::Result<(F, Vec<Trial>)>,
) -> ! {
    skips::read();
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(arguments.test_threads.unwrap_or(at_once).min(at_once));
    let status = match prepare() {
        Ok((tidy_up, trials)) => {
            let conclusion = libtest_mimic::run(&arguments, trials);
            if let Err(error) = tidy_up() {
                eprintln!("{name}: remove the temporary folder: {error}");
            }
            if conclusion.has_failed() { 101 } else { 0 }
        }
        Err(error) => {
            eprintln!("{name}: {error:#}");
            101
        }
    };
    process::exit(status)
}

/// A test with this project's errors.
pub fn trial(
    name: impl Into<String>,
    test: impl FnOnce() -> anyhow::Result<()> + Send + 'static,
) -> Trial {
    Trial::test(name, move || test().map_err(|error| Failed::from(format!("{error:#}"))))
}

/// A test that may find out that it cannot be done on this machine.
pub fn trial_or_skip(
    name: String,
    test: impl FnOnce() -> anyhow::Result<Outcome> + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name.clone(), move || match test() {
        Ok(Outcome::Holds) => Ok(Completion::Completed),
        Ok(Outcome::Skipped(reason)) if skips::is_expected(&name, &reason) => {
            Ok(Completion::ignored_with(reason))
        }
        Ok(Outcome::Skipped(reason)) => {
            Err(format!("skipped, and CI expects no skip: {reason}").into())
        }
        Err(error) => Err(format!("{error:#}").into()),
    })
}
