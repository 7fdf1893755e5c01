//! `summary WORDS…`: runs `cargo test --workspace --no-fail-fast WORDS…`, and sums it up.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal, Read, Write, stdout},
    process::{Child, Command, ExitCode, ExitStatus},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::Duration,
};

use anyhow::Context;
use judge::{
    skips,
    styles::Styles,
    summary::{Program, Reader, Summary},
};
use nix::sys::signal::{SigHandler, Signal, signal};

/// How long the silence is, after cargo's end, that ends the reading: a process that a test has
/// left behind may hold the pipe.
const SILENCE: Duration = Duration::from_millis(500);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_: i32) {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

fn main() -> ExitCode {
    match run() {
        Ok(status) => status,
        Err(error) => {
            eprintln!("summary: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    // SAFETY: the handler stores a flag and does nothing else; execve(2) resets it.
    unsafe { signal(Signal::SIGINT, SigHandler::Handler(note)) }.context("wait for Ctrl-C")?;
    let colored = stdout().is_terminal() && env::var_os("NO_COLOR").is_none();
    let (mut reader, writer) = io::pipe().context("a pipe for the tests' output")?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments(env::args_os().skip(1), colored));
    let child = cargo
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()
        .context("start cargo")?;
    drop(cargo); // It holds the writing end.

    let (sender, chunks) = channel();
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        loop {
            match reader.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(size) if size > 0 && sender.send(buffer[..size].to_vec()).is_ok() => {}
                _ => break,
            }
        }
    });
    let mut tests = Reader::default();
    let status = pass_through(child, &chunks, &mut tests)?;
    conclude(&tests.programs(), status, colored)
}

/// The words for cargo. What it and the tests write goes through a pipe, where they would have no
/// colours.
fn arguments(words: impl Iterator<Item = OsString>, colored: bool) -> Vec<OsString> {
    let mut words: Vec<OsString> = words.collect();
    let tests = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let for_tests = words.split_off(tests);
    let color = if colored { "always" } else { "never" };
    let mut all: Vec<OsString> = ["--color", color, "test", "--workspace", "--no-fail-fast"]
        .map(OsString::from)
        .into();
    all.extend(words);
    all.extend(["--", "--color", color].map(OsString::from));
    all.extend(for_tests.into_iter().skip(1));
    all
}

/// Shows the tests' output as it comes, until cargo has ended and nothing more comes.
fn pass_through(
    mut child: Child,
    chunks: &Receiver<Vec<u8>>,
    tests: &mut Reader,
) -> anyhow::Result<ExitStatus> {
    loop {
        match chunks.recv_timeout(SILENCE) {
            Ok(chunk) => {
                tests.bytes(&chunk);
                let mut out = stdout().lock();
                out.write_all(&chunk).and_then(|()| out.flush()).context("show the output")?;
            }
            Err(RecvTimeoutError::Disconnected) => return child.wait().context("wait for cargo"),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(status) = child.try_wait().context("wait for cargo")? {
                    return Ok(status);
                }
            }
        }
    }
}

fn conclude(programs: &[Program], status: ExitStatus, colored: bool) -> anyhow::Result<ExitCode> {
    let failed_to_run =
        (!status.success()).then(|| format!("cargo test ended with {status}: see above"));
    let summary = Summary::of(programs, skips::is_expected, failed_to_run);
    let styles = if colored {
        Styles::COLORED
    } else {
        Styles::default()
    };
    let interrupted = INTERRUPTED.load(Ordering::Relaxed);
    let head = if interrupted {
        "\n\nInterrupted. Up to then:\n"
    } else {
        "\n"
    };
    stdout().write_all((head.to_owned() + &summary.text(styles)).as_bytes())?;
    Ok(match (interrupted, summary.failures.is_empty()) {
        (true, _) => ExitCode::from(130),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    })
}
