// ANCHOR: voice
//! Who speaks, since when, and how does that survive execve(2)?
//!
//! A process of this workspace has a voice: the stage it belongs to, the role that it
//! plays, the moment at which the first of them started, the form of its log, and the
//! pipe that takes its error to the parent. After clone(2) the child has a copy of all that; across
//! execve(2) it travels in one environment variable, which [`fn@crate::exec`] removes.

use std::{
    ffi::OsString,
    fs::{self, File},
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
    path::Path,
    process::Command,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::stat::{SFlag, fstat},
    time::{ClockId, clock_gettime},
};

/// The environment variable that carries the voice across execve(2):
/// `STAGE ROLE START-NANOSECONDS LOG ERROR-PIPE-FD`, the last `-` where there is none.
pub const VARIABLE: &str = "LAB_VOICE";

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// For people.
    Plain,
    /// One JSON object a line.
    Json,
    /// Nothing but errors.
    Off,
}

impl Log {
    const WORDS: [(Log, &str); 3] = [(Log::Plain, "plain"), (Log::Json, "json"), (Log::Off, "off")];

    fn word(self) -> &'static str {
        Self::WORDS[self as usize].1
    }

    fn from_word(word: &str) -> Option<Log> {
        Self::WORDS.into_iter().find(|(_, other)| *other == word).map(|(log, _)| log)
    }
}

struct Voice {
    stage: String,
    role: String,
    start: Duration,
    log: Log,
    errors: Option<OwnedFd>,
}

static VOICE: Mutex<Option<Voice>> = Mutex::new(None);

/// Finds this process's voice: the one handed over by the process that executed it,
/// or a new one as `parent`, starting now.
///
/// # Errors
///
/// /proc is not mounted.
pub(crate) fn start() -> anyhow::Result<()> {
    let handed_over = handed_over();
    let first = handed_over.is_none();
    with(|voice| *voice = handed_over.unwrap_or_else(new));
    if first {
        keep_from_the_command()
    } else {
        Ok(())
    }
}

/// A descriptor of a folder is a way into it from any root, so the command gets none of the
/// caller's but the three standard streams: marks all others close-on-exec. (close_range(2)
/// can do that in one call, but only since Linux 5.11.)
fn keep_from_the_command() -> anyhow::Result<()> {
    let entries = fs::read_dir("/proc/self/fd").context("read /proc/self/fd")?;
    let numbers: Vec<RawFd> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // SAFETY: F_SETFD takes two numbers; on the one that was the folder's own it fails, with
        // EBADF.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    Ok(())
}

fn new() -> Voice {
    Voice {
        stage: own_name(),
        role: "parent".into(),
        start: now(),
        log: Log::Plain,
        errors: None,
    }
}

fn handed_over() -> Option<Voice> {
    let text = std::env::var(VARIABLE).ok()?;
    let mut words = text.split(' ');
    let voice = Voice {
        stage: words.next()?.into(),
        role: words.next()?.into(),
        start: Duration::from_nanos(words.next()?.parse().ok()?),
        log: Log::from_word(words.next()?)?,
        errors: None,
    };
    match words.next()? {
        "-" => Some(voice),
        number => Some(Voice {
            errors: Some(inherited(number.parse().ok()?, SFlag::S_IFIFO)?),
            ..voice
        }),
    }
}

/// Takes over a descriptor that execve(2) left open under this number, and closes it for the next
/// execve. `None` if it is not of this kind (S_IFIFO: a pipe): then somebody typed the number.
pub fn inherited(number: RawFd, kind: SFlag) -> Option<OwnedFd> {
    if number <= 2 {
        return None;
    }
    // SAFETY: called once for a number, and before this process opens anything of its own:
    // what is open under it was inherited, and nothing else in the process owns it.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    if !fstat(&fd).is_ok_and(|stat| SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == kind)
    {
        // Not ours after all (somebody typed the variable): leave the number alone.
        std::mem::forget(fd);
        return None;
    }
    fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).ok()?;
    Some(fd)
}
// ANCHOR_END: voice

// ANCHOR: handover
/// Changes the role under which this process speaks from now on, such as `child`.
pub fn speak_as(role: &str) {
    with(|voice| voice.role = role.into());
}

/// From now on this process's error goes into `pipe` (see [`crate::errors::report`]).
pub fn report_to(pipe: OwnedFd) {
    with(|voice| voice.errors = Some(pipe));
}

/// Lets `command`, which this process is about to become or to start, go on with this
/// voice in the given role: with its clock, and with the way its error takes.
///
/// # Errors
///
/// The pipe for the error could not be left open.
pub fn hand_over(command: &mut Command, role: &str) -> anyhow::Result<()> {
    let text = with(|voice| {
        let errors = match &voice.errors {
            Some(pipe) => {
                fcntl(pipe, FcntlArg::F_SETFD(FdFlag::empty()))?;
                pipe.as_raw_fd().to_string()
            }
            None => "-".into(),
        };
        anyhow::Ok(format!(
            "{} {role} {} {} {errors}",
            voice.stage,
            voice.start.as_nanos(),
            voice.log.word()
        ))
    })?;
    command.env(VARIABLE, text);
    Ok(())
}

/// Changes the form of the log, here and in the processes to which this voice is handed over.
pub fn set_log(log: Log) {
    with(|voice| voice.log = log);
    crate::logger::apply(log);
}

/// The form of the log.
pub fn log() -> Log {
    with(|voice| voice.log)
}

/// The stage's name, such as `06-reexec`.
pub fn stage() -> String {
    with(|voice| voice.stage.clone())
}

/// The role this process speaks in, such as `parent`.
pub fn role() -> String {
    with(|voice| voice.role.clone())
}

/// The time since the first process of this run started.
pub fn elapsed() -> Duration {
    with(|voice| now().saturating_sub(voice.start))
}

/// A duplicate of the pipe that takes this process's error to its parent, if it has one.
pub fn error_pipe() -> Option<File> {
    with(|voice| voice.errors.as_ref().and_then(|pipe| pipe.try_clone().ok()).map(File::from))
}

/// The number of that pipe.
pub fn error_pipe_number() -> Option<RawFd> {
    with(|voice| voice.errors.as_ref().map(AsRawFd::as_raw_fd))
}

fn with<T>(f: impl FnOnce(&mut Voice) -> T) -> T {
    let mut voice = VOICE.lock().unwrap_or_else(PoisonError::into_inner);
    f(voice.get_or_insert_with(new))
}

fn own_name() -> String {
    let argv0 = std::env::args_os().next().unwrap_or_else(|| OsString::from("stage"));
    let name = Path::new(&argv0).file_name().unwrap_or(&argv0).to_string_lossy().into_owned();
    name.replace(' ', "_")
}

/// The monotonic clock: its zero is the same for every process of this boot, so a moment
/// can be handed from one process to the next.
fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}
// ANCHOR_END: handover
