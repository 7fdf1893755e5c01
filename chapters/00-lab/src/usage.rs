// ANCHOR: usage
//! What does a command line ask for, and what is wrong with it?
//!
//! clap describes an error in several paragraphs. Here it becomes one line, with what you may have
//! meant.

use std::{env, ffi::OsString};

use clap::{
    Arg, Command, Error,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{Failure, exec::find};

/// The command line, as `T` describes it. `--help` and `--version` are answered here, and end the
/// process.
///
/// # Errors
///
/// Bad usage: one line, with the option that was meant if there is one like it.
pub fn parse<T: clap::Parser>() -> anyhow::Result<T> {
    parse_from(env::args_os())
}

/// As [`parse`], with this command line in place of the process's own.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_from<T: clap::Parser>(
    arguments: impl IntoIterator<Item = OsString>,
) -> anyhow::Result<T> {
    T::try_parse_from(arguments).map_err(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        Failure::usage(one_line(&error, &T::command()))
    })
}

/// The error, and what to type instead.
fn one_line(error: &Error, program: &Command) -> String {
    let text = error.to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let first = first.split_whitespace().collect::<Vec<_>>().join(" ");
    let what = first.replacen("error: ", "", 1);
    let meant = meant(error).or_else(|| with_run(error, program));
    let meant = meant.map(|meant| format!(" did you mean `{meant}`?"));
    let known = program.get_subcommands().filter(|known| !known.is_hide_set());
    let known = known.map(Command::get_name).collect::<Vec<_>>().join(", ");
    match (meant, error.kind()) {
        (meant, ErrorKind::InvalidSubcommand) => {
            format!("{what}:{} The subcommands are {known}", meant.unwrap_or_default())
        }
        (Some(meant), _) => format!("{what}:{meant}"),
        (None, _) => format!("{what}: `--help` lists what there is"),
    }
}

/// The option, value or subcommand that is nearest to the wrong one.
fn meant(error: &Error) -> Option<String> {
    let nearest = |kind| word(error, kind);
    let argument = nearest(ContextKind::SuggestedArg).or(nearest(ContextKind::SuggestedValue));
    match (nearest(ContextKind::SuggestedSubcommand), argument) {
        (Some(subcommand), Some(argument)) => Some(format!("{subcommand} {argument}")),
        (subcommand, argument) => subcommand.or(argument),
    }
}

/// What the error says under this heading, or the first of it.
fn word(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(word) => Some(word.clone()),
        ContextValue::Strings(words) => words.first().cloned(),
        _ => None,
    }
}

/// In place of a subcommand, a program's name or an option of `run`: `run` is missing.
fn with_run(error: &Error, program: &Command) -> Option<String> {
    let run = program.find_subcommand("run")?;
    let word = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = word(error, ContextKind::InvalidSubcommand)?;
            find(word.as_ref(), env::var_os("PATH").as_deref()).map(|_| word)
        }
        // The usage is the whole program's: there was no subcommand before it.
        ErrorKind::UnknownArgument if error.to_string().contains(" <COMMAND>") => {
            let word = word(error, ContextKind::InvalidArg)?;
            let is_it = |argument: &Arg| {
                let short = argument.get_short().map(|short| format!("-{short}"));
                let long = argument.get_long().map(|long| format!("--{long}"));
                [short, long].contains(&Some(word.clone()))
            };
            run.get_arguments().any(is_it).then_some(word)
        }
        _ => None,
    };
    word.map(|word| format!("run {word}"))
}
// ANCHOR_END: usage

#[cfg(test)]
mod tests {
    use super::*;

    use clap::Parser;

    #[derive(Debug, Parser)]
    #[command(name = "stage")]
    enum Cli {
        Run {
            #[arg(long, value_parser = ["plain", "json"])]
            log_format: Option<String>,
            command: Vec<OsString>,
        },
        Kill {
            name: String,
        },
        #[command(hide = true)]
        Init,
    }

    #[track_caller]
    fn is_told(words: &[&str], expected: &str) {
        let words = ["stage"].iter().chain(words).map(OsString::from);
        let error = parse_from::<Cli>(words).expect_err("it makes no sense");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn bad_usage_is_one_line_with_what_was_meant() {
        let known = "The subcommands are run, kill";
        is_told(
            &["run", "--log-formt", "json"],
            "unexpected argument '--log-formt' found: did you mean `--log-format`?",
        );
        is_told(
            &["run", "--log-format", "jsn"],
            "invalid value 'jsn' for '--log-format <LOG_FORMAT>' [possible values: plain, json]: \
             did you mean `json`?",
        );
        is_told(
            &["run", "--zzzz"],
            "unexpected argument '--zzzz' found: `--help` lists what there is",
        );
        is_told(
            &["kil"],
            &format!("unrecognized subcommand 'kil': did you mean `kill`? {known}"),
        );
        is_told(&["rnu"], &format!("unrecognized subcommand 'rnu': {known}"));
        is_told(
            &["--log-format", "json"],
            "unexpected argument '--log-format' found: did you mean `run --log-format`?",
        );
        is_told(
            &["kill", "--log-format", "json"],
            "unexpected argument '--log-format' found: `--help` lists what there is",
        );
        is_told(
            &["sh"],
            &format!("unrecognized subcommand 'sh': did you mean `run sh`? {known}"),
        );
    }
}
