// ANCHOR: folder
//! Where are the entries, and how does only one process at a time write them?
//!
//! In a folder of this user's, under `$XDG_RUNTIME_DIR`, else /run (root) or /run/user/UID, else
//! the temporary folder. It exists while there are entries. A file in it is opened through the
//! folder's descriptor, which was checked, and not by its path, which may lead elsewhere by then.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail, ensure};
use lab::lock::Lock;
use nix::{
    fcntl::{Flock, FlockArg},
    unistd::geteuid,
};
use rustix::{
    fs::{AtFlags, Dir, Mode, OFlags, openat, unlinkat},
    io::Errno,
};

/// The folder's name.
const NAME: &str = "clone-to-container";

const WAY_OUT: &str = "set XDG_RUNTIME_DIR to a folder of your own";

/// Where the folder is for this user.
///
/// # Errors
///
/// XDG_RUNTIME_DIR is a relative path.
pub(crate) fn path_of_this_user() -> anyhow::Result<PathBuf> {
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
        "XDG_RUNTIME_DIR is {}: set it to a path that begins with /",
        runtime.display()
    );
    Ok(runtime.join(NAME))
}

/// The folder, which one process at a time reads and writes.
pub(crate) struct Folder {
    path: PathBuf,
    lock: Lock,
}

impl Folder {
    /// The folder. It is made if it is not there.
    pub(crate) fn make(path: &Path) -> anyhow::Result<Folder> {
        loop {
            match DirBuilder::new().mode(0o700).create(path) {
                // Whatever the umask is.
                Ok(()) => fs::set_permissions(path, Permissions::from_mode(0o700))
                    .with_context(|| format!("chmod {}", path.display()))?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => bail!("make {}: {error}: {WAY_OUT}", path.display()),
            }
            // The process that had it last may just have removed it.
            if let Some(folder) = Folder::open(path)? {
                return Ok(folder);
            }
        }
    }

    /// The folder; `None` if it is not there.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Option<Folder>> {
        let options = libc::O_DIRECTORY | libc::O_NOFOLLOW; // a link may be another user's
        let file = match OpenOptions::new().read(true).custom_flags(options).open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => {
                other.map_err(|error| anyhow!("open {}: {error}: {WAY_OUT}", path.display()))?
            }
        };
        let opened = file.metadata().with_context(|| format!("stat {}", path.display()))?;
        let is_own = opened.uid() == geteuid().as_raw() && opened.mode() & 0o077 == 0;
        ensure!(is_own, "{}: other users may change it: {WAY_OUT}", path.display());
        let lock = Flock::lock(file, FlockArg::LockExclusive)
            .map_err(|(_, errno)| anyhow!("lock {}: {}", path.display(), errno.desc()))?;
        if fs::symlink_metadata(path).map_or(true, |now| now.ino() != opened.ino()) {
            return Ok(None); // removed, while this process waited for the lock
        }
        Ok(Some(Folder {
            path: path.to_owned(),
            lock,
        }))
    }

    /// The text of the file with this name; `None` if there is none.
    pub(crate) fn read(&self, name: &str) -> anyhow::Result<Option<String>> {
        let mut text = String::new();
        match self.open_file(name, OFlags::RDONLY) {
            Err(Errno::NOENT) => return Ok(None),
            opened => opened.map_err(anyhow::Error::from),
        }
        .and_then(|mut file| Ok(file.read_to_string(&mut text)?))
        .with_context(|| format!("read {}", self.path.join(name).display()))?;
        Ok(Some(text))
    }

    /// Writes the file with this name, whole or not at all.
    pub(crate) fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC;
        let written = self
            .open_file(name, flags)
            .map_err(anyhow::Error::from)
            .and_then(|mut file| Ok(file.write_all(text.as_bytes())?));
        if written.is_err() {
            self.remove(name)?;
        }
        written.with_context(|| format!("write {}", self.path.join(name).display()))
    }

    /// Removes the file with this name, if it is there.
    pub(crate) fn remove(&self, name: &str) -> anyhow::Result<()> {
        match unlinkat(&*self.lock, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            other => other.with_context(|| format!("remove {}", self.path.join(name).display())),
        }
    }

    /// The names of all files.
    pub(crate) fn names(&self) -> anyhow::Result<Vec<String>> {
        let mut names = Vec::new();
        let read = || format!("read {}", self.path.display());
        for entry in Dir::read_from(&*self.lock).with_context(read)? {
            let name = entry.with_context(read)?.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Removes the folder, unless other containers run.
    pub(crate) fn remove_if_empty(&self) {
        // "Directory not empty" is the usual answer, and no fault.
        let _ = fs::remove_dir(&self.path);
    }

    fn open_file(&self, name: &str, flags: OFlags) -> Result<File, Errno> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        openat(&*self.lock, name, flags, mode).map(File::from)
    }
}
// ANCHOR_END: folder
