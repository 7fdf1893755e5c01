//! How is it shown: in which colour, how far, and what takes so long?

use std::{
    io::{IsTerminal, Write, stdout},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use rustix::termios::tcgetwinsize;

use crate::styles::Styles;

/// What takes longer than this is named.
const MOMENT: Duration = Duration::from_secs(2);

/// The columns of a bar.
const BAR: usize = 30;

/// A word in the colour of what it says: green for what is done, yellow for what is not yet, and
/// red for what is wrong.
pub fn painted(word: &str) -> String {
    let Styles {
        bad,
        good,
        doubt,
        end,
    } = Styles::of_output();
    let colour = match word.trim() {
        "passes" | "done" => good,
        "TODO" | "skipped" | "open" => doubt,
        _ => bad,
    };
    format!("{colour}{word}{end}")
}

/// `3/38` and a bar of it.
pub fn bar(done: usize, of: usize) -> String {
    let Styles { good, end, .. } = Styles::of_output();
    let columns = (done * BAR).div_ceil(of.max(1));
    let (full, empty) = ("▓".repeat(columns), "░".repeat(BAR.saturating_sub(columns)));
    format!("{good}{full}{end}{empty} {done}/{of}")
}

/// Does `work`, and on a terminal names it if it takes long, on a line that goes when it is done.
pub fn named_if_slow<T>(what: &str, work: impl FnOnce() -> T) -> T {
    if !stdout().is_terminal() {
        return work();
    }
    let (working, end) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if end.recv_timeout(MOMENT) == Err(RecvTimeoutError::Timeout) {
                show(&format!("{}\r", cut(&format!("… {what}"))));
                end.recv().unwrap_or_default(); // an error: the sender is gone, so it is done
                show("\x1b[K");
            }
        });
        let result = work();
        drop(working);
        result
    })
}

/// On a terminal that has hung up there is nobody to show it to.
fn show(text: &str) {
    let mut out = stdout().lock();
    let shown = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    shown.unwrap_or_default();
}

/// On one line of this terminal.
fn cut(text: &str) -> String {
    let columns = tcgetwinsize(stdout()).map_or(80, |size| usize::from(size.ws_col));
    text.chars().take(if columns == 0 { 79 } else { columns - 1 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_its_columns() {
        assert_eq!(bar(0, 38), format!("{} 0/38", "░".repeat(30)));
        assert_eq!(bar(1, 38), format!("▓{} 1/38", "░".repeat(29)));
        assert_eq!(bar(38, 38), format!("{} 38/38", "▓".repeat(30)));
    }
}
