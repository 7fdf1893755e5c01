// ANCHOR: context
//! Who writes to the log, since when, and how does that survive execve(2)?
//!
//! A process of this workspace knows the stage to which it belongs, the role that it plays, the
//! moment at which the first process of the run started, and the form of its log. After clone(2)
//! the child has a copy of all that. Across execve(2) it travels in one environment variable,
//! which the command does not get.

use std::{
    env,
    ffi::OsString,
    path::Path,
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use nix::time::{ClockId, clock_gettime};

use crate::{line::Look, outside::Outside, records};

/// The environment variable: `STAGE ROLE START-NANOSECONDS FORM COLUMNS COLOUR OUTSIDE`, where the
/// last three may be missing. A person can set it to the form alone, for all stages that a shell
/// starts.
pub const VARIABLE: &str = "LAB_LOG";

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line for people, at the level `info`.
    Plain,
    /// The same, at all levels.
    Verbose,
    /// One JSON object a line.
    Json,
    /// Errors only.
    Off,
}

impl Form {
    const WORDS: [(Form, &str); 4] = [
        (Form::Plain, "plain"),
        (Form::Verbose, "verbose"),
        (Form::Json, "json"),
        (Form::Off, "off"),
    ];

    fn word(self) -> &'static str {
        Self::WORDS[self as usize].1
    }

    fn from_word(word: &str) -> Option<Form> {
        Self::WORDS.into_iter().find(|(_, other)| *other == word).map(|(form, _)| form)
    }
}

#[derive(Clone, Debug)]
struct Context {
    stage: String,
    role: String,
    start: Duration,
    form: Form,
    /// What the first process of the run has, if there is something to compare with it.
    outside: Option<Outside>,
    look: Look,
    /// Whether the window is not looked at any more.
    is_look_final: bool,
}

static CONTEXT: Mutex<Option<Context>> = Mutex::new(None);

fn with<T>(f: impl FnOnce(&mut Context) -> T) -> T {
    let mut context = CONTEXT.lock().unwrap_or_else(PoisonError::into_inner);
    f(context.get_or_insert_with(|| handed_over().unwrap_or_else(new)))
}

fn new() -> Context {
    Context {
        stage: own_name(),
        role: "parent".into(),
        start: now(),
        form: Form::Plain,
        outside: None,
        look: Look::of_standard_error(),
        is_look_final: false,
    }
}

/// The context of the process that executed this one. Anything else in the variable is ignored:
/// if you set it by hand, you change what the log says, and nothing more.
fn handed_over() -> Option<Context> {
    read(&env::var(VARIABLE).ok()?)
}

fn read(text: &str) -> Option<Context> {
    if let Some(form) = Form::from_word(text) {
        return Some(Context { form, ..new() });
    }
    let mut words = text.split(' ');
    Some(Context {
        stage: words.next()?.into(),
        role: words.next()?.into(),
        start: Duration::from_nanos(words.next()?.parse().ok()?),
        form: Form::from_word(words.next()?)?,
        look: Look::from_words(&mut words).unwrap_or_else(Look::of_standard_error),
        is_look_final: false,
        outside: words.next().and_then(Outside::from_word),
    })
}

/// Lets `command` go on with this log, in the given role.
pub fn hand_over(command: &mut Command, role: &str) {
    let text = with(|context| {
        let start = context.start.as_nanos();
        let (form, look) = (context.form.word(), context.look.to_words());
        let outside = context.outside.as_ref().map(|outside| format!(" {}", outside.to_word()));
        let outside = outside.unwrap_or_default();
        format!("{} {role} {start} {form} {look}{outside}", context.stage)
    });
    command.env(VARIABLE, text);
}

/// From now on this process speaks in another role, such as `child`.
pub fn speak_as(role: &str) {
    with(|context| context.role = role.into());
    records::of_another_process();
}

/// Changes the form of the log, here and in the processes to which it is handed over.
pub fn set_form(form: Form) {
    with(|context| context.form = form);
    if form == Form::Json {
        outside();
    }
}

/// The form of the log.
pub fn form() -> Form {
    with(|context| context.form)
}

/// What the first process of this run has: that is this one, if none has looked before.
pub fn outside() -> Outside {
    with(|context| context.outside.get_or_insert_with(Outside::look).clone())
}

/// What the reader of the log has in front of them, now.
pub fn look() -> Look {
    with(|context| match context.is_look_final {
        true => context.look,
        false => context.look.now(),
    })
}

/// The same, and it stays so.
pub(crate) fn look_for_the_last_time() {
    let now = look();
    with(|context| (context.look, context.is_look_final) = (now, true));
}

/// The stage's name, such as `06-reexec`.
pub fn stage() -> String {
    with(|context| context.stage.clone())
}

/// The role in which this process speaks.
pub fn role() -> String {
    with(|context| context.role.clone())
}

/// The time since the first process of this run started.
pub fn elapsed() -> Duration {
    with(|context| now().saturating_sub(context.start))
}

/// Whether this process is at work on something that the short log leaves out.
static IN_DETAIL: AtomicBool = AtomicBool::new(false);

/// Does `work`, of which the short log says nothing: a step on the way to one of its lines.
pub fn in_detail<T>(work: impl FnOnce() -> T) -> T {
    let before = IN_DETAIL.swap(true, Ordering::Relaxed);
    let done = work();
    IN_DETAIL.store(before, Ordering::Relaxed);
    done
}

pub(crate) fn is_in_detail() -> bool {
    IN_DETAIL.load(Ordering::Relaxed)
}

fn own_name() -> String {
    let argv0 = env::args_os().next().unwrap_or_else(|| OsString::from("stage"));
    let name = Path::new(&argv0).file_name().unwrap_or(&argv0).to_string_lossy().into_owned();
    name.replace(' ', "_")
}

/// CLOCK_MONOTONIC: one clock for all processes of a time namespace (time_namespaces(7)), so a
/// moment can be handed from one process to the next.
fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}
// ANCHOR_END: context

#[cfg(test)]
mod properties;
