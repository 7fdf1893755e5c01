//! What happens to a stage one of whose processes is killed, or one of whose system calls fails?
//! `make faults` tries it, and writes the table of the book's page.
//!
//! | module | question it answers |
//! |---|---|
//! | [`case`] | which process is hurt, when, and how? |
//! | [`calls`] | which system calls can fail, and how? |
//! | [`shortage`] | of what can there be too little? |
//! | [`stages`] | which stages are tried, with which options? |
//! | [`trace`], [`processes`], [`registers`] | how is a process hurt at one of its calls? |
//! | [`mod@attempt`] | what becomes of such a run, and of the next one? |
//! | [`report`] | what was tried, how often, and what was found? |
//! | [`wait`] | how does this wait with a bound, and end at a Ctrl-C? |

mod attempt;
mod calls;
mod case;
mod processes;
mod registers;
mod report;
mod shortage;
mod stages;
mod trace;
mod wait;

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context;
use attempt::attempt;
use case::{Case, Fault, Moment, Role};
use clap::Parser;
use judge::{User, chapters::Chapter, host, told};
use processes::Begun;
use report::Report;
use shortage::Shortage;
use stages::Place;
use tempfile::Builder;

/// Kills the stages' processes, and makes their system calls fail, one at a time.
#[derive(Parser)]
struct Cli {
    /// Try every N-th fault only
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Which of them it begins with, and the random moments [default: a random one]
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// How many processes are killed at a random moment, for each stage and user
    #[arg(long, value_name = "N", default_value_t = 30)]
    random: usize,
    /// Only this fault, as a finding names it
    #[arg(long, value_name = "STAGE USER ROLE MOMENT FAULT")]
    only: Option<Case>,
    /// Only this stage, such as 09
    #[arg(long, value_name = "STAGE")]
    stage: Option<String>,
    /// Begin no new fault after so many minutes
    #[arg(long, value_name = "N", default_value_t = 120)]
    minutes: u64,
    /// Print the table, and leave the book as it is
    #[arg(long)]
    print: bool,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // What a signal has interrupted has an error of its own.
            let error = wait::check().err().unwrap_or(error);
            eprintln!("faults: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing was found.
fn run(cli: &Cli) -> anyhow::Result<bool> {
    host::prepare()?;
    wait::catch()?;
    let folder = Builder::new().prefix("faults-").tempdir().context("a temporary folder")?;
    copy_binaries(folder.path())?;
    let mut report = Report::default();
    if let Some(case) = cli.only {
        try_all(case.chapter, case.user, &[case], folder.path(), &mut report, far_away(cli))?;
        if report.tried() == 0 {
            println!("There was no fault: the process makes no such call, or ends before.");
        }
        println!("\n{}", report.table());
        return Ok(report.is_clean());
    }
    let seed = cli.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!("The seed is {seed}.");
    let deadline = far_away(cli);
    for chapter in stages::stages() {
        if cli.stage.as_ref().is_some_and(|stage| !chapter.name.starts_with(stage)) {
            continue;
        }
        for user in User::all() {
            let all = cases(chapter, *user, folder.path(), cli.random, seed)?;
            report.possible += all.len();
            let tried: Vec<Case> = all
                .into_iter()
                .enumerate()
                .filter(|(index, case)| {
                    let is_one_of_many = *index as u64 % cli.every == seed % cli.every;
                    is_one_of_many || !matches!(case.moment, Moment::Call(_))
                })
                .map(|(_, case)| case)
                .collect();
            println!("{} as {}: {} faults", chapter.name, user.name(), tried.len());
            try_all(chapter, *user, &tried, folder.path(), &mut report, deadline)?;
        }
    }
    let how = match cli.every {
        1 => format!("seed {seed}"),
        every => format!("one of every {every} calls, and all others; seed {seed}"),
    };
    println!("\n{}\n{}", report.table(), report.summary(&how)?);
    let is_whole = cli.stage.is_none() && Instant::now() < deadline && User::all().len() > 1;
    if cli.print || !is_whole {
        println!("The book stays as it is.");
    } else {
        report.write(&how)?;
    }
    Ok(report.is_clean())
}

fn far_away(cli: &Cli) -> Instant {
    Instant::now() + Duration::from_secs(60 * cli.minutes)
}

/// All faults of a stage: what a run without one does says which there are.
fn cases(
    chapter: &'static Chapter,
    user: User,
    folder: &Path,
    random: usize,
    seed: u64,
) -> anyhow::Result<Vec<Case>> {
    let place = Place::new(chapter, user, folder)?;
    place.run()?.finish()?.must_end_with(stages::STATUS)?;
    let (run, start) = (place.run()?, Instant::now());
    run.finish()?.must_end_with(stages::STATUS)?;
    let whole = start.elapsed();
    let calls = trace::calls(place.run()?, place.bench().stage)?;
    let case = |role, moment, fault| Case {
        chapter,
        user,
        role,
        moment,
        fault,
    };
    let killed = |begun: &Begun| case(begun.role, Moment::Call(begun.number), Fault::Kill);
    let failed = |begun: &Begun| {
        let Begun { role, number, call } = *begun;
        let call = call.filter(|_| registers::KNOWN);
        let errors = call
            .into_iter()
            .flat_map(|call| call.errors.iter().map(move |one| (call, *one)));
        let fail = |(call, errno)| case(role, Moment::Call(number), Fault::Fail(call, errno));
        errors.map(fail).collect::<Vec<_>>()
    };
    let mut cases: Vec<Case> = calls.iter().map(killed).collect();
    cases.extend(calls.iter().flat_map(failed));
    let mut dice = fastrand::Rng::with_seed(seed);
    let short = Shortage::all(place.bench().stage, user, whole, &mut dice).into_iter();
    cases.extend(short.map(|one| case(Role::Parent, Moment::Start, Fault::Short(one))));
    let roles = match place.bench().stage {
        ..9 => [Role::Parent, Role::Init].as_slice(),
        _ => &[Role::Parent, Role::Keeper, Role::Init],
    };
    for number in 0..random {
        let time = Duration::from_micros(dice.u64(..whole.as_micros() as u64));
        cases.push(case(roles[number % roles.len()], Moment::After(time), Fault::Kill));
    }
    Ok(cases)
}

/// Tries them. After a finding, and after what may be another program's doing, in new folders.
fn try_all(
    chapter: &'static Chapter,
    user: User,
    cases: &[Case],
    folder: &Path,
    report: &mut Report,
    deadline: Instant,
) -> anyhow::Result<()> {
    let mut place = Place::new(chapter, user, folder)?;
    place.run()?.finish()?.must_end_with(stages::STATUS)?;
    for case in cases {
        wait::check()?;
        if Instant::now() > deadline {
            println!("The time is up.");
            break;
        }
        let mut tried = attempt(&place, case).with_context(|| case.to_string())?;
        if !tried.findings.is_empty() && tried.may_be_anothers {
            println!("once more, it may be another's: {}", told(&tried.findings.join("; ")));
            place = Place::new(chapter, user, folder)?;
            place.run()?.finish()?.must_end_with(stages::STATUS)?;
            tried = attempt(&place, case).with_context(|| case.to_string())?;
        }
        wait::check()?; // what a Ctrl-C has ended is no finding
        let is_clean = tried.findings.is_empty();
        report.add(case, tried);
        if !is_clean {
            place.clear_groups();
            place = Place::new(chapter, user, folder)?;
            place.run()?.finish()?.must_end_with(stages::STATUS)?;
        }
    }
    Ok(())
}

/// Copies the stages to where every user can reach them.
fn copy_binaries(to: &Path) -> anyhow::Result<()> {
    fs::set_permissions(to, fs::Permissions::from_mode(0o777))?;
    let from = match env::var_os("JUDGE_BINARIES") {
        Some(folder) => folder.into(),
        None => {
            let own = env::current_exe().context("where is this program's file?")?;
            own.parent().context("a file is in a folder")?.to_owned()
        }
    };
    for name in stages::stages().iter().map(|chapter| chapter.name).chain(["rootfs"]) {
        let file = from.join(name);
        let hint = || format!("copy {}: `cargo build --workspace` first", file.display());
        fs::copy(&file, to.join(name)).with_context(hint)?;
    }
    Ok(())
}
