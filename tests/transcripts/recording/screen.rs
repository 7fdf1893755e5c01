//! What does a terminal show for the bytes that a program writes?
//!
//! Lines of text in colours. Codes that move the cursor are left out: nothing here draws a screen.

use anyhow::{Context, ensure};
use libtest_mimic::Trial;

use crate::harness::trial;

/// The terminal's width.
pub const COLUMNS: usize = 114;

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Style {
    /// 0 to 255 (the first 16 have names), or the terminal's own.
    pub colour: Option<u8>,
    pub is_bold: bool,
    pub is_dim: bool,
}

/// Text in one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub style: Style,
    pub text: String,
}

/// A line of the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub spans: Vec<Span>,
}

impl Line {
    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }

    /// Its styles in their order, however long each piece is.
    pub fn colours(&self) -> String {
        let style = |span: &Span| format!("{:?}", span.style);
        self.spans.iter().map(style).collect::<Vec<_>>().join(" ")
    }

    fn put(&mut self, letter: char, style: Style) {
        match self.spans.last_mut() {
            Some(span) if span.style == style => span.text.push(letter),
            _ => self.spans.push(Span {
                style,
                text: letter.into(),
            }),
        }
    }
}

impl Style {
    /// The numbers of `ESC [ … m` (console_codes(4)).
    fn change(&mut self, codes: &str) -> anyhow::Result<()> {
        let numbers = codes.split(';').map(|code| match code {
            "" => Ok(0),
            code => code.parse::<u8>().with_context(|| format!("a colour {codes}")),
        });
        let numbers = numbers.collect::<anyhow::Result<Vec<_>>>()?;
        let mut rest = numbers.as_slice();
        while let [code, after @ ..] = rest {
            rest = after;
            match (code, after) {
                (0, _) => *self = Style::default(),
                (1, _) => self.is_bold = true,
                (2, _) => self.is_dim = true,
                (22, _) => (self.is_bold, self.is_dim) = (false, false),
                (30..=37, _) => self.colour = Some(code - 30),
                (90..=97, _) => self.colour = Some(code - 90 + 8),
                (38, [5, colour, after @ ..]) => (self.colour, rest) = (Some(*colour), after),
                (39, _) => self.colour = None,
                _ => {}
            }
        }
        Ok(())
    }
}

/// The lines, without empty ones at the end.
pub fn lines_of(text: &str) -> anyhow::Result<Vec<Line>> {
    let (mut lines, mut style, mut column) = (vec![Line::default()], Style::default(), 0);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\x1b' => {
                ensure!(letters.next() == Some('['), "an escape that is no CSI");
                let codes: String =
                    letters.by_ref().take_while(|c| !c.is_ascii_alphabetic()).collect();
                let end = text.len() - letters.as_str().len() - 1;
                if text.as_bytes()[end] == b'm' {
                    style.change(&codes)?;
                }
            }
            '\n' => (column, _) = (0, lines.push(Line::default())),
            letter if letter.is_control() => {}
            letter => {
                if column == COLUMNS {
                    (column, _) = (0, lines.push(Line::default()));
                }
                column += 1;
                let line = lines.last_mut().context("there is a line")?;
                line.put(letter, style);
            }
        }
    }
    while lines.last().is_some_and(|line| line.spans.is_empty()) {
        lines.pop();
    }
    Ok(lines)
}

pub fn trials() -> Vec<Trial> {
    vec![trial("a recording's colours and lines are read", || {
        let lines = lines_of("\x1b[?2004ha\x1b[38;5;208;1mb\x1b[0mc\r\n\x1b[36md\r\n\r\n")?;
        let shown: Vec<_> = lines.iter().map(Line::text).collect();
        ensure!(shown == ["abc", "d"], "{shown:?}");
        let styles: Vec<Style> =
            lines.iter().flat_map(|line| &line.spans).map(|span| span.style).collect();
        let (plain, cyan) = (
            Style::default(),
            Style {
                colour: Some(6),
                ..Style::default()
            },
        );
        let orange = Style {
            colour: Some(208),
            is_bold: true,
            is_dim: false,
        };
        ensure!(styles == [plain, orange, plain, cyan], "{styles:?}");
        ensure!(lines_of(&"x".repeat(COLUMNS + 1))?.len() == 2, "it does not wrap");
        Ok(())
    })]
}
