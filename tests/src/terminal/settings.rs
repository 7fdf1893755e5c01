//! How is a terminal set, and how large is it?

use std::os::fd::AsFd;

use anyhow::Context;
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};
use rustix::termios::{Winsize, tcsetwinsize};

use super::Terminal;

impl Terminal {
    /// Whether it shows what is typed, and hands it over line by line, and takes Ctrl-C.
    ///
    /// # Errors
    ///
    /// It has hung up.
    pub fn flags(&self) -> anyhow::Result<LocalFlags> {
        self.settings().map(|settings| flags(&settings))
    }

    /// The same, from before anything ran on it.
    pub fn first_flags(&self) -> LocalFlags {
        flags(&self.first)
    }

    /// All its settings.
    ///
    /// # Errors
    ///
    /// It has hung up.
    pub fn settings(&self) -> anyhow::Result<Termios> {
        settings(&self.master)
    }

    /// The same, from before anything ran on it.
    pub fn first_settings(&self) -> Termios {
        self.first.clone()
    }

    /// Gives it another size, as a window does that is pulled.
    ///
    /// # Errors
    ///
    /// It has hung up.
    pub fn resize(&self, rows: u16, columns: u16) -> anyhow::Result<()> {
        tcsetwinsize(&self.master, size(rows, columns)).context("resize the terminal")
    }
}

pub(super) fn size(rows: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

pub(super) fn settings(master: impl AsFd) -> anyhow::Result<Termios> {
    tcgetattr(master).context("read the terminal's settings")
}

fn flags(settings: &Termios) -> LocalFlags {
    settings.local_flags & (LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG)
}
