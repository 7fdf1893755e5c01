// ANCHOR: changes
//! What did the container change? The container layer has it.
//!
//! A file there was added or changed; a whiteout marks something of a lower layer as deleted; an
//! opaque folder hides what lower layers have in its place.
//!
//! The container chose all names and depths here, and anybody may have made its image. So no link
//! is followed in any layer: it could lead to the host's files.
//! Source: Documentation/filesystems/overlayfs.rst of the kernel, aufs(5).

use std::{
    collections::BTreeMap,
    fmt,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use anyhow::Context;
use lab::tree::{self, Entry, Visitor, is_folder};
use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, Stat, openat, statat},
    io::Errno,
};

use crate::{
    driver::Driver,
    whiteout::{Meaning, aufs_meaning, is_hidden_by_aufs, meaning},
};

/// What happened to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not in the image.
    Added,
    /// It was in the image and is different now; a folder: all that it had in the image is gone.
    Changed,
    /// It was in the image.
    Deleted,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Change::Added => "added",
            Change::Changed => "changed",
            Change::Deleted => "deleted",
        })
    }
}

/// The changes in the layer `container` over the image's layers, lowest first; the paths are as the
/// container sees them.
///
/// # Errors
///
/// A folder of a layer cannot be read.
pub fn changes(
    driver: Driver,
    container: &Path,
    image: &[PathBuf],
) -> anyhow::Result<BTreeMap<PathBuf, Change>> {
    let mut finder = Finder {
        driver,
        image,
        shows_image: vec![true],
        found: BTreeMap::new(),
    };
    tree::walk(container, &mut finder)?;
    Ok(finder.found)
}

struct Finder<'a> {
    driver: Driver,
    image: &'a [PathBuf],
    /// Whether the image is visible in each folder from the top to the one that is walked.
    shows_image: Vec<bool>,
    found: BTreeMap<PathBuf, Change>,
}

impl Visitor for Finder<'_> {
    fn see(&mut self, entry: &Entry) -> anyhow::Result<bool> {
        self.shows_image.truncate(entry.depth);
        match aufs_meaning(self.driver, entry.name) {
            Some(None) => return Ok(false),
            Some(Some(gone)) => {
                self.note(&entry.path.with_file_name(gone), Change::Deleted);
                return Ok(false);
            }
            None => {}
        }
        let of_image = match self.shows_image.last() {
            Some(true) => in_image(self.driver, self.image, entry.path)?,
            _ => None,
        };
        let change = if of_image.is_some() {
            Change::Changed
        } else {
            Change::Added
        };
        // ANCHOR: exercise-changes
        match meaning(self.driver, entry.folder, entry.name, &entry.stat) {
            Meaning::Whiteout => self.note(entry.path, Change::Deleted),
            Meaning::File => self.note(entry.path, change),
            Meaning::Folder { is_opaque } => {
                let goes_on = !is_opaque && of_image.as_ref().is_some_and(is_folder);
                // A folder is copied up because of what is in it: that alone is no change of it.
                let is_same = of_image.is_some_and(|other| looks_like(&entry.stat, &other));
                if !goes_on || !is_same {
                    self.note(entry.path, change);
                }
                self.shows_image.push(goes_on);
            }
        }
        // ANCHOR_END: exercise-changes
        Ok(true)
    }
}

impl Finder<'_> {
    fn note(&mut self, path: &Path, change: Change) {
        self.found.insert(Path::new("/").join(path), change);
    }
}

fn looks_like(one: &Stat, other: &Stat) -> bool {
    (one.st_mode, one.st_uid, one.st_gid) == (other.st_mode, other.st_uid, other.st_gid)
}
// ANCHOR_END: changes

// ANCHOR: in-image
/// What one layer has under a path.
enum Below {
    /// Nothing: a lower layer may have something.
    Unknown,
    /// A mark that nothing is there.
    Hidden,
    /// This.
    Entry(Stat),
}

/// What the image has under this path: the highest layer with an entry or a mark counts.
///
/// # Errors
///
/// A layer cannot be read.
pub fn in_image(driver: Driver, image: &[PathBuf], path: &Path) -> anyhow::Result<Option<Stat>> {
    for layer in image.iter().rev() {
        let below = says(driver, layer, path)
            .with_context(|| format!("look up {} in {}", path.display(), layer.display()))?;
        match below {
            Below::Unknown => {}
            Below::Hidden => return Ok(None),
            Below::Entry(stat) => return Ok(Some(stat)),
        }
    }
    Ok(None)
}

/// Goes down part by part, so that the path may be of any length: no system call gets all of it.
fn says(driver: Driver, layer: &Path, path: &Path) -> anyhow::Result<Below> {
    let folder_flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut folder: OwnedFd = openat(CWD, layer, folder_flags, Mode::empty())?;
    let (mut otherwise, mut parts) = (Below::Unknown, path.components().peekable());
    while let Some(part) = parts.next() {
        let name = part.as_os_str();
        if driver == Driver::Aufs && is_hidden_by_aufs(folder.as_fd(), name) {
            return Ok(Below::Hidden);
        }
        let stat = match statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(otherwise),
            other => other?,
        };
        match meaning(driver, folder.as_fd(), name, &stat) {
            Meaning::Whiteout => return Ok(Below::Hidden),
            Meaning::Folder { is_opaque: true } => otherwise = Below::Hidden,
            Meaning::Folder { is_opaque: false } => {}
            // Nothing is below a file or a link, and it hides what lower layers have there.
            Meaning::File if parts.peek().is_some() => return Ok(Below::Hidden),
            Meaning::File => {}
        }
        if parts.peek().is_none() {
            return Ok(Below::Entry(stat));
        }
        folder = openat(&folder, name, folder_flags, Mode::empty())?;
    }
    Ok(otherwise)
}
// ANCHOR_END: in-image

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder of this test's own, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let folder =
                std::env::temp_dir().join(format!("changes-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Scratch(folder)
        }

        fn file(&self, path: &str) -> &Self {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
            self
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn aufs_whiteouts_and_its_own_files() {
        let scratch = Scratch::new("aufs");
        scratch.file("low/f").file("low/gone").file("low/d/old").file("low/kept/file");
        scratch.file("mid/.wh.hidden").file("low/hidden");
        scratch
            .file("up/f")
            .file("up/new")
            .file("up/.wh.gone")
            .file("up/.wh..wh.aufs")
            .file("up/.wh..wh.plnk/x");
        scratch
            .file("up/d/.wh..wh..opq")
            .file("up/d/fresh")
            .file("up/kept/more")
            .file("up/hidden");
        let image = [scratch.0.join("low"), scratch.0.join("mid")];
        let found: Vec<String> = changes(Driver::Aufs, &scratch.0.join("up"), &image)
            .unwrap()
            .into_iter()
            .map(|(path, change)| format!("{change} {}", path.display()))
            .collect();
        let expected = [
            "changed /d",
            "added /d/fresh",
            "changed /f",
            "deleted /gone",
            "added /hidden",
            "added /kept/more",
            "added /new",
        ];
        assert_eq!(found, expected);
    }
}
