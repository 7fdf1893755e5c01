// ANCHOR: tree
//! How is a tree of folders walked that another process has made, however deep it is?
//!
//! A container can nest folders deeper than a path may be long (PATH_MAX, 4096 bytes), deeper than
//! there are descriptors, and deeper than a stack of calls should be. So this goes down one folder
//! at a time, relative to the one it is in, and comes back up by `..`. It follows no symbolic link.
//! Source: openat(2), path_resolution(7).

use std::{
    ffi::{CString, OsStr},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
    vec,
};

use anyhow::{Context, ensure};
use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat, unlinkat},
    io::Errno,
};

/// An entry of a folder.
pub struct Entry<'a> {
    /// The folder that it is in.
    pub folder: BorrowedFd<'a>,
    /// Its name there.
    pub name: &'a OsStr,
    /// Its path below the top of the tree.
    pub path: &'a Path,
    /// How many folders it is below the top: 1 for the top's own entries.
    pub depth: usize,
    /// What the kernel says of it; of a link, not of what it points to.
    pub stat: Stat,
}

/// Whether an entry is a folder.
pub fn is_folder(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// What is done with the entries of a tree.
pub trait Visitor {
    /// Whether entries of this kind, as the folder itself tells it, are seen at all: the others
    /// cost no call each.
    fn wants(&self, _kind: FileType) -> bool {
        true
    }

    /// Sees an entry, before what is below it. Whether to go into it, if it is a folder.
    ///
    /// # Errors
    ///
    /// Any: the walk ends.
    fn see(&mut self, entry: &Entry) -> anyhow::Result<bool>;

    /// Has seen all that is below a folder, which is in `above` and has this path below the top.
    ///
    /// # Errors
    ///
    /// Any: the walk ends.
    fn leave(&mut self, _above: BorrowedFd, _path: &Path) -> anyhow::Result<()> {
        Ok(())
    }
}

/// A folder on the way down, and what of it has not been seen yet.
struct Level {
    id: (u64, u64),
    left: vec::IntoIter<CString>,
}

/// Walks the tree below `top`, each folder's entries in the order of their names.
///
/// # Errors
///
/// A folder cannot be read, or was moved meanwhile; or what `visitor` fails with.
pub fn walk(top: &Path, visitor: &mut impl Visitor) -> anyhow::Result<()> {
    let mut folder =
        open(CWD, top.as_os_str()).with_context(|| format!("open the folder {}", top.display()))?;
    let mut way = vec![level(&folder, visitor).with_context(|| format!("read {}", top.display()))?];
    let mut path = PathBuf::new();
    let shown = |path: &Path| top.join(path).display().to_string();
    while let Some(here) = way.last_mut() {
        let Some(name) = here.left.next() else {
            way.pop();
            let Some(above) = way.last() else {
                return Ok(());
            };
            let up = || format!("go back up from {}", shown(&path));
            folder = open(&folder, OsStr::new("..")).with_context(up)?;
            ensure!(
                id(&folder).with_context(up)? == above.id,
                "{} was moved meanwhile",
                shown(&path)
            );
            visitor.leave(folder.as_fd(), &path)?;
            path.pop();
            continue;
        };
        let (name, depth) = (OsStr::from_bytes(name.as_bytes()).to_owned(), way.len());
        path.push(&name);
        let stat = match statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => {
                path.pop();
                continue; // it has gone
            }
            other => other.with_context(|| format!("stat {}", shown(&path)))?,
        };
        let entry = Entry {
            folder: folder.as_fd(),
            name: &name,
            path: &path,
            depth,
            stat,
        };
        if visitor.see(&entry)? && is_folder(&stat) {
            folder = open(&folder, &name).with_context(|| format!("open {}", shown(&path)))?;
            way.push(level(&folder, visitor).with_context(|| format!("read {}", shown(&path)))?);
        } else {
            path.pop();
        }
    }
    Ok(())
}

fn open(at: impl AsFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, name, flags, Mode::empty())
}

fn level(folder: &OwnedFd, visitor: &impl Visitor) -> Result<Level, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_owned();
        let is_own = [b".".as_slice(), b".."].contains(&name.as_bytes());
        if !is_own && visitor.wants(entry.file_type()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(Level {
        id: id(folder)?,
        left: names.into_iter(),
    })
}

fn id(folder: &OwnedFd) -> Result<(u64, u64), Errno> {
    let stat = fstat(folder)?;
    Ok((stat.st_dev, stat.st_ino))
}
// ANCHOR_END: tree

// ANCHOR: remove
/// Removes a folder and all below it. With `folders_only`, files are left alone: the files of a
/// cgroup go with their folder.
///
/// # Errors
///
/// The kernel refuses to remove something; it is left with what is above it.
pub fn remove(top: &Path, folders_only: bool) -> anyhow::Result<()> {
    struct Remover<'a> {
        top: &'a Path,
        folders_only: bool,
    }

    impl Visitor for Remover<'_> {
        fn wants(&self, kind: FileType) -> bool {
            // Some file systems do not tell the kind.
            !self.folders_only || matches!(kind, FileType::Directory | FileType::Unknown)
        }

        fn see(&mut self, entry: &Entry) -> anyhow::Result<bool> {
            if !is_folder(&entry.stat) && !self.folders_only {
                unlinkat(entry.folder, entry.name, AtFlags::empty())
                    .with_context(|| format!("remove {}", self.top.join(entry.path).display()))?;
            }
            Ok(true)
        }

        fn leave(&mut self, above: BorrowedFd, path: &Path) -> anyhow::Result<()> {
            unlinkat(above, path.file_name().unwrap_or_default(), AtFlags::REMOVEDIR)
                .with_context(|| format!("remove {}", self.top.join(path).display()))
        }
    }

    if std::fs::remove_dir(top).is_ok() {
        return Ok(()); // most often nothing is below it
    }
    walk(top, &mut Remover { top, folders_only })?;
    std::fs::remove_dir(top).with_context(|| format!("remove {}", top.display()))
}
// ANCHOR_END: remove

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::*;

    /// Nests so many folders below `top`, with a file in the last.
    fn nest(top: &Path, depth: usize, name: &str) {
        fs::create_dir(top).unwrap();
        let mut folder = open(CWD, top.as_os_str()).unwrap();
        for _ in 0..depth {
            rustix::fs::mkdirat(&folder, name, Mode::RWXU).unwrap();
            folder = open(&folder, OsStr::new(name)).unwrap();
        }
        let flags = OFlags::CREATE | OFlags::WRONLY;
        openat(&folder, "file", flags, Mode::RUSR).unwrap();
    }

    struct Counter(usize, usize);

    impl Visitor for Counter {
        fn see(&mut self, entry: &Entry) -> anyhow::Result<bool> {
            self.0 += 1;
            self.1 = self.1.max(entry.path.as_os_str().len());
            Ok(true)
        }
    }

    #[test]
    fn a_deep_tree_is_walked_and_removed() {
        let top = env::temp_dir().join(format!("lab-tree-{}", process::id()));
        for (depth, name) in [(1900, "a"), (100, &*"n".repeat(200)), (3000, "bb")] {
            nest(&top, depth, name);
            let mut counter = Counter(0, 0);
            walk(&top, &mut counter).unwrap();
            assert_eq!(counter.0, depth + 1);
            assert_eq!(counter.1, depth * (name.len() + 1) + "file".len());
            remove(&top, false).unwrap();
            assert!(!top.exists());
        }
    }

    #[test]
    fn a_link_is_not_followed() {
        let top = env::temp_dir().join(format!("lab-tree-link-{}", process::id()));
        fs::create_dir(&top).unwrap();
        std::os::unix::fs::symlink("/usr", top.join("usr")).unwrap();
        let mut counter = Counter(0, 0);
        walk(&top, &mut counter).unwrap();
        assert_eq!(counter.0, 1);
        remove(&top, false).unwrap();
        assert!(!top.exists() && Path::new("/usr").exists());
    }
}
