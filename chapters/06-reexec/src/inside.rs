// ANCHOR: inside
//! Is this start inside the namespaces that the first one made?
//!
//! argv\[0\] is anybody's to choose. To be PID 1 proves nothing either: in a container of another
//! runtime this program may be PID 1, and the hostname is that container's. So the first start
//! notes which UTS namespace it is in and hands that over, and the second one changes nothing
//! unless it is in another.

use std::{env, fs, process::Command, sync::OnceLock};

use anyhow::ensure;

/// The variable with the link `/proc/self/ns/uts` of the first start.
const VARIABLE: &str = "REEXEC_FROM";

static OUTSIDE: OnceLock<Option<String>> = OnceLock::new();

/// The first start: notes where it is, before it clones anything.
pub(crate) fn note_outside() {
    OUTSIDE.get_or_init(own);
}

/// Lets the second start know what was noted.
pub(crate) fn hand_over(again: &mut Command) {
    if let Some(Some(outside)) = OUTSIDE.get() {
        again.env(VARIABLE, outside);
    }
}

/// Refuses to go on in the place where the first start was, or without one.
///
/// # Errors
///
/// This process was started by hand.
pub fn require_inside() -> anyhow::Result<()> {
    let (outside, own) = (env::var(VARIABLE).ok(), own());
    let is_inside = own.is_some() && outside.is_some_and(|outside| Some(outside) != own);
    ensure!(
        is_inside,
        "this function is for the second start, inside: do not start it by hand"
    );
    Ok(())
}

fn own() -> Option<String> {
    fs::read_link("/proc/self/ns/uts").ok().map(|link| link.display().to_string())
}
// ANCHOR_END: inside
