// ANCHOR: lock
//! Who uses this folder, right now?
//!
//! A lock that the kernel takes away with its last holder, however that one ends (flock(2)). It
//! belongs to the open file, so a child made by clone(2) holds it as well; an execve(2) lets it go.

use std::{
    fs::{self, File, Metadata},
    os::unix::fs::MetadataExt,
    path::Path,
};

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
/// The folder cannot be opened, or another process removes it meanwhile.
pub fn wait_for(folder: &Path) -> anyhow::Result<Lock> {
    lock(folder, FlockArg::LockExclusive)?
        .with_context(|| format!("lock {}: it was removed meanwhile", folder.display()))
}

/// Takes it, if no other process has it, or removes the folder meanwhile.
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
        Ok(lock) => Ok(is_at(folder, &lock)?.then_some(lock)),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, errno)) => Err(anyhow!("lock {}: {}", folder.display(), errno.desc())),
    }
}

/// Whether the path still leads to the open file. Its last user may have removed it, and another
/// process may have made it anew: a lock on the old one keeps nobody out of that.
fn is_at(path: &Path, file: &File) -> anyhow::Result<bool> {
    let opened = file.metadata().with_context(|| format!("stat {}", path.display()))?;
    let id = |data: Metadata| (data.dev(), data.ino());
    Ok(fs::metadata(path).is_ok_and(|now| id(now) == id(opened)))
}
// ANCHOR_END: lock

#[cfg(test)]
mod tests {
    use std::{env, process, thread, time::Duration};

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

    #[test]
    fn a_folder_that_is_removed_meanwhile_is_not_locked() {
        let folder = env::temp_dir().join(format!("lab-lock-{}", process::id()));
        for is_made_anew in [false, true] {
            fs::create_dir(&folder).unwrap();
            let had = try_exclusive(&folder).unwrap();
            let path = folder.clone();
            let waits = thread::spawn(move || wait_for(&path).is_ok());
            thread::sleep(Duration::from_millis(100));
            fs::remove_dir(&folder).unwrap();
            if is_made_anew {
                fs::create_dir(&folder).unwrap();
            }
            drop(had);
            assert!(!waits.join().unwrap(), "is made anew: {is_made_anew}");
        }
        fs::remove_dir(&folder).unwrap();
    }
}
