//! What does a start cost, and how does the cost grow? `make bench` measures it, and writes the
//! tables and the plot of the book's page "What a start costs".
//!
//! | module | question it answers |
//! |---|---|
//! | [`programs`] | which programs are measured, and where do they come from? |
//! | [`place`], [`bundle`] | what does a user's container find? |
//! | [`starts`] | which commands are compared, and which do the same work? |
//! | [`parts`] | what does each part of a start cost? |
//! | [`numbers`], [`series`], [`growth`] | how does the cost grow, and with what? |
//! | [`measure`] | how is a command measured? |
//! | [`report`], [`table`], [`plot`], [`curves`] | how is it shown? |
//! | [`interrupt`] | how does Ctrl-C end this so that nothing is left? |
//! | [`machine`] | on which machine was it? |
//!
//! The programs in `c` are the payload, the stopwatch, and the floor.

mod bound;
mod bundle;
mod curves;
mod growth;
mod interrupt;
mod machine;
mod measure;
mod numbers;
mod parts;
mod place;
mod plot;
mod programs;
mod report;
mod series;
mod starts;
mod table;

use std::{collections::BTreeSet, path::Path, process::ExitCode};

use anyhow::Context;
use clap::Parser;
use judge::User;
use measure::{Start, in_rounds};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    unistd::geteuid,
};
use parts::Parts;
use place::Place;
use programs::{PEERS, Programs, which};
use report::Report;
use starts::{Maker, Starts};

/// Measures what a start costs, beside what a person would use instead.
#[derive(Parser)]
struct Cli {
    /// Measure how the cost grows, instead
    #[arg(long)]
    growth: bool,
    /// A few rounds only, for a first look; the book stays as it is
    #[arg(long)]
    quick: bool,
    /// How many rounds [default: 40, for --growth 8]
    #[arg(long, value_name = "N", conflicts_with = "quick",
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: Option<u32>,
    /// Leave out the static builds of the stages, which are compiled anew
    #[arg(long)]
    no_static: bool,
    /// Print the tables, and leave the book as it is
    #[arg(long)]
    print: bool,
}

/// Runs of one command in one round.
const EACH: usize = 3;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether no run failed.
fn run(cli: &Cli) -> anyhow::Result<bool> {
    if geteuid().is_root() {
        // Whatever is mounted here, the host does not see it, and it ends with this process.
        unshare(CloneFlags::CLONE_NEWNS).context("unshare the mount namespace")?;
        let nothing: Option<&Path> = None;
        mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing)
            .context("make every mount private")?;
    }
    interrupt::catch()?;
    let programs = Programs::build(!cli.no_static && !cli.growth)?;
    for missing in missing(&programs, cli.growth) {
        println!("not here: {missing}");
    }
    let default = match (cli.quick, cli.growth) {
        (true, true) => 1,
        (true, false) => 4,
        (false, true) => 8,
        (false, false) => 40,
    };
    let rounds = cli.rounds.map_or(default, |rounds| rounds as usize);
    let mut report = Report::new(rounds, (!cli.growth).then_some(EACH))?;
    if cli.growth {
        let place = Place::new(&programs, User::all()[0])?;
        growth::measure(
            &Maker {
                programs: &programs,
                place: &place,
            },
            rounds,
            &mut report,
        )?;
    } else {
        for user in User::all() {
            let place = Place::new(&programs, *user)?;
            costs(
                &Maker {
                    programs: &programs,
                    place: &place,
                },
                rounds,
                &mut report,
            )?;
        }
    }
    report.end()?;
    if cli.quick || cli.print {
        println!("The book stays as it is.");
    } else if geteuid().is_root() {
        report.write()?;
    } else {
        println!("The book stays as it is: its tables are root's. Run this as root to write them.");
    }
    Ok(report.is_clean())
}

/// What a person may want to install.
fn missing(programs: &Programs, for_growth: bool) -> Vec<String> {
    let mut missing = Vec::new();
    if for_growth {
        return missing;
    }
    if programs.strace.is_none() {
        missing.push("strace, so no system calls are counted: install strace".into());
    }
    let absent = PEERS.iter().filter(|(peer, _)| which(peer).is_none());
    missing.extend(absent.map(|(peer, package)| format!("{peer}: install {package}")));
    missing
}

/// What a start costs this user.
fn costs(maker: &Maker, rounds: usize, report: &mut Report) -> anyhow::Result<()> {
    let (programs, user) = (maker.programs, maker.place.user);
    let mut starts = maker.all();
    println!("As {}: {} commands.", report::who(user), starts.rows.len());
    try_all(&mut starts, programs, user, report)?;
    let stopwatch = programs.path("stopwatch");
    let measured = in_rounds(&stopwatch, starts.rows.iter().map(|row| &row.start), rounds, EACH)?;
    for (row, measured) in starts.rows.iter_mut().zip(measured) {
        if let Some(failure) = &measured.failure {
            report.failed(&format!("{} as {}", row.label, report::who(user)), failure);
        }
        row.measured = measured;
    }
    report.add_starts(user, &starts);
    if user == User::all()[0] {
        let mut parts = Parts::new(maker, report);
        println!("The parts of a start.");
        parts.measure(programs, rounds, EACH)?;
        report.add_parts(&parts);
        report.add_bound(&starts, &parts);
    }
    Ok(())
}

/// Tries each command once, and counts its system calls. What does not work here is left out, and
/// named.
fn try_all(
    starts: &mut Starts,
    programs: &Programs,
    user: User,
    report: &mut Report,
) -> anyhow::Result<()> {
    let stopwatch = programs.path("stopwatch");
    let mut left_out = BTreeSet::new();
    for (index, row) in starts.rows.iter_mut().enumerate() {
        let tried = row.start.time(&stopwatch, 1, 1, &mut Vec::new());
        interrupt::check()?;
        if let Err(error) = tried {
            report.left_out(&format!("{} as {}", row.label, report::who(user)), &error);
            left_out.insert(index);
            continue;
        }
        if let Some(strace) = &programs.strace {
            let record = row.start.home.join("strace");
            row.calls = count(&row.start, strace, &record, report, &row.label);
        }
    }
    let mut index = 0;
    starts.rows.retain(|_| {
        index += 1;
        !left_out.contains(&(index - 1))
    });
    Ok(())
}

fn count(
    start: &Start,
    strace: &Path,
    record: &Path,
    report: &mut Report,
    label: &str,
) -> Option<usize> {
    start
        .calls(strace, record)
        .inspect_err(|error| report.left_out(&format!("system calls of {label}"), error))
        .ok()
}
