//! Boots other kernels in virtual machines, and runs the tests there.
//!
//! | module | question it answers |
//! |---|---|
//! | [`guests`] | which guests are there, and what cannot be tested in which? |
//! | [`kernels`], the library | where does a kernel come from, how is a program built for it? |
//! | [`payload`] | what is in a guest? `init.sh` and `guest.sh` are its first process |
//! | [`qemu`] | how is a guest run, with a bound on its time? |
//! | [`report`] | what did its tests say? |
//! | [`shell`] | how does a person get a shell in a guest? `shell.sh` and `login.sh` give it |
//! | [`trial`] | does that shell do what the book says? |

mod guests;
mod payload;
mod qemu;
mod report;
mod shell;
mod trial;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Mutex,
    thread,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use clap::Parser;
use guests::{GUESTS, Guest, OWN};
use kernels::{
    debian,
    modules::{self, Files},
};
use lab::exec::find;

/// The programs that this needs, and their Debian packages.
const NEEDED: [(&str, &str); 4] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("cpio", "cpio"),
    ("mke2fs", "e2fsprogs"),
    ("busybox", "busybox-static"),
];

/// Runs the acceptance tests on other kernels, in virtual machines.
///
/// What a guest wrote stays in target/kernels/GUEST: `output`, and `console` for its kernel.
#[derive(Parser)]
struct Cli {
    /// Only these guests; `vm` is the trial of `make vm`
    guests: Vec<String>,
    /// In place of the tests, a shell in one guest (6.12-v2, if you name none), on this terminal
    #[arg(long, conflicts_with_all = ["only", "jobs", "bound"])]
    shell: bool,
    /// Without KVM, even if it is here
    #[arg(long, requires = "shell")]
    emulate: bool,
    /// Boot this kernel, a bzImage, in place of Debian's
    #[arg(long, value_name = "FILE", conflicts_with = "guests")]
    kernel: Option<PathBuf>,
    /// Where its modules are [default: /lib/modules/RELEASE for vmlinuz-RELEASE]
    #[arg(long, value_name = "FOLDER", requires = "kernel")]
    modules: Option<PathBuf>,
    /// Only the tests whose name contains this
    #[arg(long, value_name = "WORDS")]
    only: Option<String>,
    /// How long a guest's tests may write nothing, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    bound: u64,
    /// How many guests run at the same time [default: one a processor]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = if cli.shell {
        enter(&cli).map(|()| true)
    } else {
        run(&cli)
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("kernels: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Makes sure that the programs are here. Returns the folder for all that is kept.
fn prepare() -> anyhow::Result<PathBuf> {
    ensure!(
        cfg!(target_arch = "x86_64"),
        "the guests are x86-64 machines, and run programs built on one"
    );
    for (program, package) in NEEDED {
        let found = find(program.as_ref(), env::var_os("PATH").as_deref());
        let found = found.or_else(|| payload::on_this_machine(program));
        found.with_context(|| format!("{program} is not here: install the package {package}"))?;
    }
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/kernels");
    fs::create_dir_all(&cache).with_context(|| format!("create {}", cache.display()))?;
    Ok(cache.canonicalize()?)
}

/// A shell in one guest, until it ends.
fn enter(cli: &Cli) -> anyhow::Result<()> {
    let cache = prepare()?;
    let guests = chosen(cli)?;
    let guest = match (cli.guests.len(), cli.kernel.is_some()) {
        (0, false) => GUESTS.iter().find(|guest| guest.name == shell::USUAL),
        (0 | 1, _) => guests.first().copied(),
        _ => bail!("a shell is in one guest: name one, or none for {}", shell::USUAL),
    };
    let guest = guest.with_context(|| format!("no guest is called {}", shell::USUAL))?;
    let folder = cache.join("vm");
    let files = files(guest, cli, &cache)?;
    let common = payload::build(&folder.join("common"), false)?;
    shell::enter(guest, &files, &common, &folder, cli.emulate)
}

/// Whether all went well.
fn run(cli: &Cli) -> anyhow::Result<bool> {
    let cache = prepare()?;
    let guests = chosen(cli)?;
    let has_all = cli.guests.is_empty() && cli.kernel.is_none() && cli.only.is_none();
    let has_trial = has_all || cli.guests.iter().any(|name| name == trial::NAME);
    let mut failed = if guests.is_empty() {
        vec![]
    } else {
        visit_all(guests, cli, &cache)?
    };
    if has_trial {
        failed.extend(trial::visit().into_iter().map(|failure| (trial::NAME, failure)));
    }
    // The last lines name them: the reports above are long.
    for (name, failure) in &failed {
        println!("== {name}: FAILED. {failure}");
    }
    Ok(failed.is_empty())
}

/// Runs these guests, some at a time. Returns what failed in which.
fn visit_all(
    guests: Vec<&'static Guest>,
    cli: &Cli,
    cache: &Path,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    // The archive is slow, and so is the compiler: side by side.
    let (common, kernels) = thread::scope(|scope| {
        let common = scope.spawn(|| payload::build(cache, true));
        let kernels: Vec<_> = guests.iter().map(|guest| files(guest, cli, cache)).collect();
        (common.join().expect("the build does not panic"), kernels)
    });
    let common = common?;
    let jobs = cli.jobs.map_or_else(|| thread::available_parallelism().map(usize::from), Ok)?;
    let queue = Mutex::new(guests.into_iter().zip(kernels));
    let worker = || {
        let mut failed = Vec::new();
        loop {
            let Some((guest, files)) = queue.lock().expect("no worker panics").next() else {
                return failed;
            };
            let failures = visit(guest, files, cli, &common, &cache.join(guest.name));
            failed.extend(failures.into_iter().map(|failure| (guest.name, failure)));
        }
    };
    Ok(thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no worker panics"))
            .collect()
    }))
}

fn chosen(cli: &Cli) -> anyhow::Result<Vec<&'static Guest>> {
    if cli.kernel.is_some() {
        return Ok(vec![&OWN]);
    }
    for name in cli.guests.iter().filter(|name| cli.shell || *name != trial::NAME) {
        if !GUESTS.iter().any(|guest| guest.name == name) {
            let names: Vec<&str> = GUESTS.iter().map(|guest| guest.name).collect();
            bail!("no guest is called {name}; there are {}", names.join(", "));
        }
    }
    let is_chosen =
        |guest: &&Guest| cli.guests.is_empty() || cli.guests.iter().any(|name| name == guest.name);
    Ok(GUESTS.iter().filter(is_chosen).collect())
}

fn files(guest: &Guest, cli: &Cli, cache: &Path) -> anyhow::Result<Files> {
    match (&guest.kernel, &cli.kernel) {
        (Some(kernel), _) => debian::files(kernel, cache),
        (None, Some(file)) => modules::own(file, cli.modules.as_deref(), &cache.join(guest.name)),
        (None, None) => bail!("{} is for --kernel", guest.name),
    }
}

/// Runs a guest and prints its report. Returns what failed, a line each.
fn visit(
    guest: &Guest,
    files: anyhow::Result<Files>,
    cli: &Cli,
    common: &Path,
    folder: &Path,
) -> Vec<String> {
    let expected = guest
        .kernel
        .as_ref()
        .is_none_or(|kernel| kernel.expected && env::var_os("CI").is_some());
    let files = match files {
        Err(error) if !expected => {
            println!("== {}: skipped: {error:#}", guest.name);
            return vec![];
        }
        files => files,
    };
    let ended = files.and_then(|files| {
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        let only = cli.only.as_deref().unwrap_or(guest.tests);
        let settings = payload::settings_of_tests(guest, only);
        let machine = payload::machine(guest, &settings, common, &files, folder)?;
        qemu::boot(&machine, Duration::from_secs(cli.bound), folder)
    });
    match ended {
        Ok(ended) => {
            let skips = guest.skips.filter(|_| cli.only.is_none()).unwrap_or_default();
            let (text, failures) = report::of(guest.name, &ended, guest.doctor, skips);
            print!("{text}");
            failures
        }
        Err(error) => vec![format!("{error:#}")],
    }
}
