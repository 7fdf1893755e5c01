// ANCHOR: all
//! Where are the entries, and how do two processes not write at once?
//!
//! In a folder of the user's own, under `$XDG_RUNTIME_DIR`, else /run (root) or /run/user/UID,
//! else the temporary folder. It is there while there are entries.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{anyhow, bail, ensure};
use nix::{
    fcntl::{Flock, FlockArg},
    unistd::geteuid,
};

/// The folder's name.
const NAME: &str = "10-nsenter";

const WAY_OUT: &str = "set XDG_RUNTIME_DIR to a folder of your own";

/// The folder of the entries, which one process at a time reads or writes (flock(2)).
pub(crate) struct Folder {
    path: PathBuf,
    _lock: Flock<File>,
}

impl Folder {
    /// Where it is for this user.
    pub(crate) fn path_of_ours() -> anyhow::Result<PathBuf> {
        let uid = geteuid();
        let own = PathBuf::from(format!("/run/user/{uid}"));
        let runtime = match env::var_os("XDG_RUNTIME_DIR") {
            Some(named) if !named.is_empty() => PathBuf::from(named),
            _ if uid.is_root() => PathBuf::from("/run"),
            _ if own.is_dir() => own,
            _ => return Ok(env::temp_dir().join(format!("{NAME}-{uid}"))),
        };
        ensure!(
            runtime.is_absolute(),
            "XDG_RUNTIME_DIR is {}: it must begin with /",
            runtime.display()
        );
        Ok(runtime.join(NAME))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder, made if it is not there.
    pub(crate) fn make(path: &Path) -> anyhow::Result<Folder> {
        loop {
            match DirBuilder::new().mode(0o700).create(path) {
                // Whatever the umask is.
                Ok(()) => fs::set_permissions(path, Permissions::from_mode(0o700))?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => bail!("make {}: {error}: {WAY_OUT}", path.display()),
            }
            // Whoever had it last may just have removed it.
            if let Some(folder) = Folder::open(path)? {
                return Ok(folder);
            }
        }
    }

    /// The folder; `None` if it is not there.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Option<Folder>> {
        let options = libc::O_DIRECTORY | libc::O_NOFOLLOW; // a link there would be somebody else's
        let file = match OpenOptions::new().read(true).custom_flags(options).open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => {
                other.map_err(|error| anyhow!("open {}: {error}: {WAY_OUT}", path.display()))?
            }
        };
        let opened = file.metadata()?;
        let is_own = opened.uid() == geteuid().as_raw() && opened.mode() & 0o077 == 0;
        ensure!(is_own, "{} is not a folder of one's own alone: {WAY_OUT}", path.display());
        let lock = Flock::lock(file, FlockArg::LockExclusive)
            .map_err(|(_, errno)| anyhow!("lock {}: {}", path.display(), errno.desc()))?;
        if fs::symlink_metadata(path).map_or(true, |now| now.ino() != opened.ino()) {
            return Ok(None); // removed, while this process waited for the lock
        }
        Ok(Some(Folder {
            path: path.to_owned(),
            _lock: lock,
        }))
    }

    /// Removes it, unless other containers run.
    pub(crate) fn remove_if_empty(&self) {
        let _ = fs::remove_dir(&self.path);
    }
}
// ANCHOR_END: all
