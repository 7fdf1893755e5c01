// ANCHOR: line
//! How does a line of the log look?
//!
//! In a pipe, in a file and in the book: the time, who speaks, the message, and the place in the
//! code, in columns. On a terminal a line has the colour of its side, and it never wraps: where it
//! is too long, the place goes first, and then the end of the message.

use std::{
    env,
    io::{IsTerminal, stderr},
    time::Duration,
};

use log::Level;
use rustix::termios::tcgetwinsize;

/// What the reader of a run's log has in front of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// How wide the terminal is; `None`: it is no terminal, or has no width.
    pub columns: Option<usize>,
    /// Whether lines are coloured.
    pub colour: bool,
}

impl Look {
    /// Standard error, and what the environment wants: `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`
    /// (no-color.org, bixense.com/clicolors) and `CI`.
    pub fn of_standard_error() -> Look {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is = |name: &str, value: &str| env::var_os(name).is_some_and(|found| found == value);
        let is_plain = is("CLICOLOR", "0") || is("TERM", "dumb") || is_set("CI");
        let is_forced = is_set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0");
        Look {
            columns: columns(),
            colour: !is_set("NO_COLOR") && (is_forced || stderr().is_terminal() && !is_plain),
        }
    }

    /// The same now: a window may have been pulled.
    pub(crate) fn now(self) -> Look {
        Look {
            columns: self.columns.and_then(|before| columns().or(Some(before))),
            ..self
        }
    }

    /// As two words, for the next program.
    pub(crate) fn to_words(self) -> String {
        let colour = if self.colour { COLOUR } else { "plain" };
        format!("{} {colour}", self.columns.unwrap_or(0))
    }

    pub(crate) fn from_words<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Look> {
        let columns: u16 = words.next()?.parse().ok()?; // as TIOCGWINSZ has it
        Some(Look {
            columns: Some(columns.into()).filter(|columns| *columns > 0),
            colour: words.next()? == COLOUR,
        })
    }

    /// What ends a line. A terminal that another process has made raw does not begin at the left
    /// by itself (OPOST, termios(3)).
    pub(crate) fn end(self) -> &'static str {
        match self.columns {
            Some(_) => "\r\n",
            None => "\n",
        }
    }

    /// How a line of this level and role begins, how the place in it does, and how it ends.
    fn colours(self, level: Level, role: &str) -> [&'static str; 3] {
        match role {
            _ if !self.colour => [""; 3],
            _ if level <= Level::Warn => [RED, DIM, OFF],
            "parent" | "outside" | "keeper" => ["\x1b[36m", DIM, OFF], // cyan
            "child" | "inside" | "init" => ["\x1b[38;5;208m", DIM, OFF], // orange
            _ => ["\x1b[35m", DIM, OFF],                               // magenta
        }
    }

    /// An error that ends the stage. It is never cut: its end says what to do.
    pub(crate) fn error(self, text: &str) -> String {
        match self.colour {
            true => format!("{RED}{text}{OFF}"),
            false => text.to_owned(),
        }
    }
}

/// The word for it where a look is handed over.
const COLOUR: &str = "colour";

const RED: &str = "\x1b[1;31m";
const DIM: &str = "\x1b[0;2m";
const OFF: &str = "\x1b[0m";

/// TIOCGWINSZ, ioctl_tty(2).
fn columns() -> Option<usize> {
    let size = tcgetwinsize(stderr()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// What one line says.
pub(crate) struct Line<'a> {
    pub(crate) elapsed: Duration,
    pub(crate) role: &'a str,
    pub(crate) pid: u32,
    pub(crate) level: Level,
    pub(crate) message: &'a str,
    pub(crate) place: &'a str,
}

impl Line<'_> {
    /// The line, without its end.
    pub(crate) fn shown(&self, look: Look) -> String {
        let Line { message, place, .. } = self;
        let who = format!("{}[{}]", self.role, self.pid);
        let head = format!("{:>8} {who:<15} ", time(self.elapsed));
        let [on, dim, off] = look.colours(self.level, self.role);
        let Some(columns) = look.columns else {
            return format!("{on}{head}{message:<58}  {dim}{place}{off}");
        };
        let text = head + message;
        match columns.checked_sub(width(&text) + width(place)) {
            Some(gap @ 2..) => format!("{on}{text}{:gap$}{dim}{place}{off}", ""),
            _ => format!("{on}{}{off}", fitted(&text, columns)),
        }
    }
}

/// A time in three digits, or in minutes or hours: `+0.41ms`, `+12.3ms`, `+1.24s`, `+3m01s`.
fn time(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().round() as u64;
    let in_unit = |number: f64, unit: &str| match number {
        ..9.995 => format!("+{number:.2}{unit}"),
        ..99.95 => format!("+{number:.1}{unit}"),
        _ => format!("+{number:.0}{unit}"),
    };
    match elapsed.as_secs_f64() {
        ..0.9995 => in_unit(elapsed.as_secs_f64() * 1e3, "ms"),
        ..59.95 => in_unit(elapsed.as_secs_f64(), "s"),
        ..3599.5 => format!("+{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("+{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// As much of the text as a terminal of so many columns has room for.
fn fitted(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut used = 1; // for the sign that something is missing
    let fits = |c: &char| {
        used += width_of(*c);
        used <= columns
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// How many columns it takes on a terminal, at most.
fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

/// From the letters of Korean on, a character may be as wide as two. Those that are narrow all the
/// same leave a column empty.
fn width_of(c: char) -> usize {
    match c {
        '…' => 1,
        '\u{1100}'.. => 2,
        _ => 1,
    }
}
// ANCHOR_END: line

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Look = Look {
        columns: None,
        colour: false,
    };

    fn line<'a>(role: &'a str, level: Level, message: &'a str) -> Line<'a> {
        Line {
            elapsed: Duration::from_micros(410),
            role,
            pid: 4242,
            level,
            message,
            place: "01-uts::spawn",
        }
    }

    fn on_terminal(columns: usize, message: &str) -> String {
        let look = Look {
            columns: Some(columns),
            ..PLAIN
        };
        line("parent", Level::Info, message).shown(look)
    }

    #[test]
    fn a_line_has_columns_and_the_place_is_last() {
        let cloning = line("parent", Level::Info, "cloning: UTS, IPC, PID");
        let expected = " +0.41ms parent[4242]    cloning: UTS, IPC, PID                  \
                        \u{20}                   01-uts::spawn";
        assert_eq!(cloning.shown(PLAIN), expected);
        let long = "long ".repeat(20);
        let shown = line("parent", Level::Info, &long).shown(PLAIN);
        assert!(shown.ends_with(&format!("{long}  01-uts::spawn")), "{shown}");
    }

    #[test]
    fn a_time_has_a_unit_that_a_person_can_read() {
        for (micros, shown) in [
            (0, "+0.00ms"),
            (410, "+0.41ms"),
            (9_994, "+9.99ms"),
            (9_996, "+10.0ms"),
            (12_345, "+12.3ms"),
            (126_400, "+126ms"),
            (999_470, "+999ms"),
            (999_600, "+1.00s"),
            (1_240_000, "+1.24s"),
            (12_345_678, "+12.3s"),
            (59_960_000, "+1m00s"),
            (181_454_140, "+3m01s"),
            (3_599_400_000, "+59m59s"),
            (3_599_999_999, "+1h00m"),
            (7_500_000_000, "+2h05m"),
        ] {
            assert_eq!(time(Duration::from_micros(micros)), shown);
        }
    }

    #[test]
    fn on_a_terminal_a_line_never_wraps() {
        assert_eq!(
            on_terminal(60, "cloning: UTS"),
            " +0.41ms parent[4242]    cloning: UTS          01-uts::spawn"
        );
        // Two columns between message and place, or no place.
        assert!(on_terminal(52, "cloning: UTS").ends_with("UTS  01-uts::spawn"));
        assert!(on_terminal(51, "cloning: UTS").ends_with("UTS"));
        assert!(on_terminal(37, "cloning: UTS").ends_with("cloning: UTS"));
        assert!(on_terminal(36, "cloning: UTS").ends_with("cloning: U…"));
        for columns in 1..120 {
            for message in ["cloning: UTS", "hostname is 日本 now, in here", "ü\u{1f600}…"] {
                let shown = on_terminal(columns, message);
                assert!(width(&shown) <= columns, "{columns}: {shown}");
            }
        }
    }

    #[test]
    fn each_side_has_its_colour_and_what_is_wrong_is_red() {
        let look = Look {
            columns: Some(60),
            colour: true,
        };
        let shown = |role, level| line(role, level, "m").shown(look);
        let begins = |role, colour: &str| {
            let shown = shown(role, Level::Debug);
            assert!(shown.starts_with(&format!("\x1b[{colour}m +0.41ms {role}[4242]")), "{shown}");
            assert!(shown.ends_with("\x1b[0;2m01-uts::spawn\x1b[0m"), "{shown}");
        };
        for (colour, roles) in [
            ("36", &["parent", "outside", "keeper"][..]),
            ("38;5;208", &["child", "inside", "init"]),
            ("35", &["helper", "another"]),
        ] {
            roles.iter().for_each(|role| begins(role, colour));
        }
        assert!(shown("child", Level::Warn).starts_with("\x1b[1;31m"));
        assert_eq!(look.error("bad"), "\x1b[1;31mbad\x1b[0m");
        assert_eq!(PLAIN.error("bad"), "bad");
    }

    #[test]
    fn a_look_crosses_an_execve() {
        for columns in [None, Some(80)] {
            for colour in [false, true] {
                let look = Look { columns, colour };
                assert_eq!(Look::from_words(look.to_words().split(' ')), Some(look));
            }
        }
        // No terminal is so wide, and no line can be made so long.
        assert_eq!(Look::from_words("70000 plain".split(' ')), None);
    }
}
