// ANCHOR: inside
//! Is this start inside the namespaces that the first one made?
//!
//! argv\[0\] is anybody's to choose. To be PID 1 proves nothing either: in a container of another
//! runtime this program may be PID 1, and the hostname is that container's. So the first start
//! opens the UTS namespace that it is in and hands that over, and the second one changes nothing
//! unless it is in another. (A descriptor, and no variable: the command would get that.)

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    sync::OnceLock,
};

use anyhow::ensure;
use lab::{Program, descriptors};

/// The name under which the second start inherits the first one's namespace.
const OUTSIDE: &str = "outside";

/// The file of a process's own UTS namespace.
const OWN: &str = "/proc/self/ns/uts";

static NOTED: OnceLock<Option<File>> = OnceLock::new();

/// The first start: notes where it is, before it clones anything.
pub(crate) fn note_outside() {
    NOTED.get_or_init(|| File::open(OWN).ok());
}

/// Lets the second start know what was noted.
pub(crate) fn hand_over(again: Program) -> Program {
    match NOTED.get().and_then(|noted| noted.as_ref()?.try_clone().ok()) {
        Some(outside) => again.with(OUTSIDE, outside),
        None => again,
    }
}

/// Refuses to go on in the place where the first start was, or without one.
///
/// # Errors
///
/// This process was started by hand.
pub fn require_inside() -> anyhow::Result<()> {
    let outside = descriptors::take(OUTSIDE).and_then(|noted| File::from(noted).metadata().ok());
    let own = fs::metadata(OWN).ok();
    let is_inside = outside
        .zip(own)
        .is_some_and(|(outside, own)| (outside.dev(), outside.ino()) != (own.dev(), own.ino()));
    ensure!(
        is_inside,
        "this function is for the second start, inside: do not start it by hand"
    );
    Ok(())
}
// ANCHOR_END: inside
