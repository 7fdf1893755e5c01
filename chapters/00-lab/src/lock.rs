// ANCHOR: lock
//! Who uses this folder, right now?
//!
//! A lock that the kernel takes away with its last holder, however that one ends (flock(2)). It
//! belongs to the open file, so a child made by clone(2) holds it as well; an execve(2) lets it go.

use std::{fs::File, path::Path};

use anyhow::{Context, anyhow};
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};

/// A lock on a folder or file, until it is dropped.
pub type Lock = Flock<File>;

/// Waits until no other process has it.
///
/// # Errors
///
/// The folder cannot be opened.
pub fn wait_for(folder: &Path) -> anyhow::Result<Lock> {
    lock(folder, FlockArg::LockExclusive)?.context("flock returned without the lock")
}

/// Takes it, if no other process has it.
///
/// # Errors
///
/// As [`wait_for`].
pub fn try_exclusive(folder: &Path) -> anyhow::Result<Option<Lock>> {
    lock(folder, FlockArg::LockExclusiveNonblock)
}

/// Takes it together with others that share it, if no process has it alone.
///
/// # Errors
///
/// As [`wait_for`].
pub fn try_shared(folder: &Path) -> anyhow::Result<Option<Lock>> {
    lock(folder, FlockArg::LockSharedNonblock)
}

fn lock(folder: &Path, how: FlockArg) -> anyhow::Result<Option<Lock>> {
    let file = File::open(folder).with_context(|| format!("open {}", folder.display()))?;
    match Flock::lock(file, how) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, errno)) => Err(anyhow!("lock {}: {}", folder.display(), errno.desc())),
    }
}
// ANCHOR_END: lock

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_with_many_or_had_alone() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let first = try_shared(folder).unwrap();
        let second = try_shared(folder).unwrap();
        assert!(first.is_some() && second.is_some());
        assert!(try_exclusive(folder).unwrap().is_none());
        drop((first, second));
        let alone = try_exclusive(folder).unwrap();
        assert!(alone.is_some() && try_shared(folder).unwrap().is_none());
    }
}
