//! How is a command measured?
//!
//! Not by hyperfine: it measures one command after another, so whatever else the machine does
//! meanwhile counts for one of them only, and it does not tell the memory of a small program. The
//! stopwatch (`c/stopwatch.c`) does less: clock_gettime(2), vfork(2), execve(2) and wait4(2). It
//! is called for a few runs at a time, and every command gets its turn in each round, in a new
//! order.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::interrupt;
use anyhow::{Context, anyhow, ensure};
use judge::User;
use nix::{
    mount::{MntFlags, umount2},
    sched::{CloneFlags, unshare},
};

/// What one run took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Milliseconds, from before the fork to after the wait.
    pub time: f64,
    /// The most memory that one of its processes had, in KiB.
    pub memory: u64,
}

/// A command, and the user who starts it.
#[derive(Clone, Debug)]
pub struct Start {
    pub user: User,
    /// The user's home, which is the working directory too.
    pub home: PathBuf,
    /// The program and its arguments.
    pub words: Vec<OsString>,
    /// Where a hierarchy is mounted that the program must not see.
    pub hidden: Option<PathBuf>,
}

impl Start {
    /// As a command of the standard library, behind these words.
    fn behind(&self, first: &Path, before: &[&str]) -> Command {
        let mut command = Command::new(first);
        if let Some(hidden) = self.hidden.clone() {
            // SAFETY: two system calls: no lock, no allocation.
            unsafe {
                command.pre_exec(move || {
                    unshare(CloneFlags::CLONE_NEWNS)?;
                    Ok(umount2(&hidden, MntFlags::MNT_DETACH)?)
                });
            }
        }
        self.user.log_in(&mut command, &self.home);
        command
            .args(before)
            .args(&self.words)
            .current_dir(&self.home)
            .stdin(Stdio::null());
        command
    }

    /// Runs it so often, with so many at a time.
    ///
    /// # Errors
    ///
    /// A run fails. The samples before it are lost, unless `samples` has them.
    pub fn time(
        &self,
        stopwatch: &Path,
        runs: usize,
        at_once: usize,
        samples: &mut Vec<Sample>,
    ) -> anyhow::Result<()> {
        let numbers = [runs.to_string(), at_once.to_string()];
        let output = self
            .behind(stopwatch, &numbers.each_ref().map(String::as_str))
            .output()
            .context("run the stopwatch")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let found: Vec<Sample> = text.lines().filter_map(sample).collect();
        let count = found.len();
        samples.extend(found);
        succeeded(&output)?;
        ensure!(count == runs, "{count} times of {runs}");
        Ok(())
    }

    /// How many system calls it makes, as strace(1) at this path counts.
    ///
    /// # Errors
    ///
    /// strace(1) or the command fails.
    pub fn calls(&self, strace: &Path, record: &Path) -> anyhow::Result<usize> {
        let file = record.to_str().context("a path in UTF-8")?;
        let output = self.behind(strace, &["-f", "-qq", "-o", file]).output();
        succeeded(&output.context("run strace")?)?;
        let text = std::fs::read(record).with_context(|| format!("read {file}"))?;
        let text = String::from_utf8_lossy(&text);
        Ok(text.lines().filter(|line| is_call(line)).count())
    }
}

/// A line of the stopwatch: nanoseconds and KiB.
fn sample(line: &str) -> Option<Sample> {
    let (time, memory) = line.split_once(' ')?;
    Some(Sample {
        time: time.parse::<f64>().ok()? / 1e6,
        memory: memory.parse().ok()?,
    })
}

/// Whether a line of strace's, `PID call(…`, is the beginning of a call, and neither its end nor
/// a signal.
fn is_call(line: &str) -> bool {
    let rest = line.trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start();
    rest.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_')
}

fn succeeded(output: &Output) -> anyhow::Result<()> {
    let errors = String::from_utf8_lossy(&output.stderr);
    let mut lines = errors.lines().map(str::trim).filter(|line| !line.is_empty());
    match lines.next() {
        _ if output.status.success() => Ok(()),
        Some(first) => Err(anyhow!("{first}")),
        None => Err(anyhow!("{}", output.status)),
    }
}

/// Samples of all these in shuffled rounds. What fails gets the reason, and is not tried again.
///
/// # Errors
///
/// It is interrupted.
pub fn in_rounds<'a>(
    stopwatch: &Path,
    starts: impl Iterator<Item = &'a Start>,
    rounds: usize,
    each: usize,
) -> anyhow::Result<Vec<Measured>> {
    let starts: Vec<&Start> = starts.collect();
    let mut all = vec![Measured::default(); starts.len()];
    let mut order: Vec<usize> = (0..starts.len()).collect();
    // The first round warms up.
    for round in 0..=rounds {
        eprint!("\rround {round} of {rounds} ");
        fastrand::shuffle(&mut order);
        for &index in &order {
            let measured = &mut all[index];
            if measured.failure.is_some() {
                continue;
            }
            interrupt::check()?;
            let mut samples = Vec::new();
            let runs = if round == 0 { 1 } else { each };
            let timed = starts[index].time(stopwatch, runs, 1, &mut samples);
            measured.failure = timed.err().map(|error| format!("{error:#}"));
            if round > 0 {
                measured.samples.extend(samples);
            }
        }
    }
    eprintln!("\r{:24}\r", "");
    Ok(all)
}

/// What was measured of one command.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    pub samples: Vec<Sample>,
    /// Why a run failed.
    pub failure: Option<String>,
}

impl Measured {
    fn times(&self) -> Vec<f64> {
        self.samples.iter().map(|sample| sample.time).collect()
    }

    /// The median time in milliseconds. `None`: there is none.
    pub fn median(&self) -> Option<f64> {
        median(self.times())
    }

    /// The shortest time.
    pub fn least(&self) -> Option<f64> {
        self.times().into_iter().min_by(f64::total_cmp)
    }

    /// The most memory of a process in a usual run, in MiB.
    pub fn memory(&self) -> Option<f64> {
        median(self.samples.iter().map(|sample| sample.memory as f64 / 1024.0).collect())
    }
}

/// The middle one of these; `None` if there are none.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some((values[last / 2] + values[last.div_ceil(2)]) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }

    #[test]
    fn what_is_shown_of_samples() {
        let sample = |time| Sample { time, memory: 2048 };
        let measured = Measured {
            samples: [2.5, 12.0, 2.0].map(sample).to_vec(),
            failure: None,
        };
        assert_eq!((measured.median(), measured.least()), (Some(2.5), Some(2.0)));
        assert_eq!(measured.memory(), Some(2.0));
        assert_eq!(Measured::default().least(), None);
    }

    #[test]
    fn lines_of_the_stopwatch_and_of_strace() {
        assert_eq!(
            sample("1500000 640"),
            Some(Sample {
                time: 1.5,
                memory: 640
            })
        );
        assert_eq!(sample("it did not end"), None);
        for call in ["12 openat(AT_FDCWD, \"/\") = 3", "7  wait4(-1,  <unfinished ...>", "_exit(0)"]
        {
            assert!(is_call(call), "{call}");
        }
        for other in ["12 <... wait4 resumed>) = 7", "12 +++ exited with 0 +++", "7 --- SIGCHLD"] {
            assert!(!is_call(other), "{other}");
        }
    }
}
