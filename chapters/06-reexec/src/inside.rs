// ANCHOR: inside
//! Is this start inside the namespaces that the first one made?
//!
//! Any caller may choose argv\[0\]. Being PID 1 proves nothing either: in a container of another
//! runtime this program may be PID 1, and the hostname is that container's. So the first start
//! opens its own UTS namespace and hands the descriptor over. The second start changes nothing
//! unless it is in another UTS namespace. (The command would inherit an environment variable.)

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    sync::OnceLock,
};

use anyhow::ensure;
use lab::{Program, descriptors};

/// The name under which the second start inherits the first start's namespace.
const OUTSIDE: &str = "outside";

/// The file of a process's own UTS namespace.
const OWN: &str = "/proc/self/ns/uts";

static NOTED: OnceLock<Option<File>> = OnceLock::new();

/// The first start: notes its namespace, before it clones anything.
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

/// Refuses to go on in the first start's namespace, or without a first start.
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
