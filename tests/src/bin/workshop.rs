//! The workshop: hands exercises out, and lets the kernel mark them.

use std::{
    env,
    io::{Write, stdout},
    path::{PathBuf, absolute},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};
use judge::{
    User, checks,
    workshop::{
        Workshop,
        desk::Desk,
        marking::{self, NotYet},
        progress::progress,
        start::start,
        timetable, verdict,
        watch::watch,
    },
};
use nix::sys::signal::{SigHandler, Signal, signal};

/// Hands out exercises, and lets the book's own checks judge what you wrote.
///
/// CHAPTER is a number or a name; without it, the one that you started last is meant.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Where your crates are [default: workshop in the repository]
    #[arg(long, value_name = "DIR", global = true)]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    command: Do,
}

#[derive(Subcommand)]
enum Do {
    /// Hand out the next exercise: workshop/CHAPTER is the stage, with a piece taken out
    Start {
        chapter: Option<String>,
        /// Which exercise [default: the first that is not done]
        #[arg(long, short)]
        exercise: Option<usize>,
        /// Begin afresh; what is there is kept as a backup
        #[arg(long)]
        force: bool,
    },
    /// Build what you wrote and judge it
    Check { chapter: Option<String> },
    /// The next of three hints
    Hint { chapter: Option<String> },
    /// Where you stand
    Progress,
    /// Hand the exercise out again
    Reset {
        chapter: Option<String>,
        /// Even if you have written something; it is kept as a backup
        #[arg(long)]
        force: bool,
    },
    /// The difference between yours and an answer that passes
    Solution { chapter: Option<String> },
    /// Check again at every save; on a terminal, h, n, p and q are keys
    Watch { chapter: Option<String> },
    /// The timetable of the presenter's page, from the exercises' minutes
    Timetable,
    /// One check, in a process of its own
    #[command(hide = true)]
    Judge {
        user: Who,
        check: String,
        binary: PathBuf,
        /// In milliseconds: a stage that takes longer hangs
        #[arg(long)]
        bound: u64,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Who {
    Root,
    User,
}

/// Exit status 0: done, or it passes. 1: it does not pass yet. 2: it could not be done.
fn main() -> ExitCode {
    // A reader that takes only the first lines, such as head(1), ends this program quietly.
    // SAFETY: SIG_DFL installs no handler.
    let restored = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) };
    debug_assert!(restored.is_ok());
    match lab::parse().and_then(run) {
        Ok(status) => status,
        Err(error) if error.is::<NotYet>() => ExitCode::from(1),
        Err(error) => {
            eprintln!("workshop: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let program = env::current_exe().context("where is this program's file?")?;
    let workshop = || {
        let mut workshop = Workshop::of_repository(&program)?;
        if let Some(folder) = &cli.folder {
            workshop.folder = absolute(folder).context("--folder")?;
        }
        anyhow::Ok(workshop)
    };
    let desk =
        |chapter: &Option<String>| Desk::find(workshop()?, program.clone(), chapter.as_deref());
    match cli.command {
        Do::Start {
            chapter,
            exercise,
            force,
        } => start(workshop()?, chapter.as_deref(), exercise, force)?,
        Do::Check { chapter } => marking::check(&mut desk(&chapter)?)?,
        Do::Hint { chapter } => desk(&chapter)?.hint()?,
        Do::Progress => progress(&workshop()?)?,
        Do::Reset { chapter, force } => desk(&chapter)?.reset(force)?,
        Do::Solution { chapter } => desk(&chapter)?.solution()?,
        Do::Watch { chapter } => watch(workshop()?, program.clone(), chapter.as_deref())?,
        Do::Timetable => print!("{}", timetable::markdown(&workshop()?)?),
        Do::Judge {
            user,
            check,
            binary,
            bound,
        } => {
            let check = checks::named(&check).context("there is no such check")?;
            let user = if let Who::Root = user {
                User::Root
            } else {
                User::Ordinary
            };
            let verdict = verdict::of_check(check, user, &binary, Duration::from_millis(bound))?;
            let (word, said) = verdict.parts();
            write!(stdout(), "{word}\n{said}\n")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
