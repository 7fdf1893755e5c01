// ANCHOR: changes
//! What did the container change? The container layer says it.
//!
//! A file there was added or changed; a whiteout says that something below was deleted;
//! an opaque folder hides what is below it. Overlay has a device 0/0 for a whiteout (or
//! an attribute of an empty file) and an attribute for an opaque folder; aufs has
//! `.wh.NAME` and `.wh..wh..opq`, and files of its own that begin with `.wh..wh.`.
//! Source: Documentation/filesystems/overlayfs.rst of the kernel, aufs(5).

use std::{
    collections::BTreeMap,
    ffi::{CStr, CString, OsStr},
    fmt,
    fs::{self, Metadata},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::driver::Driver;

/// What happened to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not in the image.
    Added,
    /// It was in the image and is another now; of a folder: all that it had is gone.
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

/// What an entry of a layer stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    File,
    Folder { opaque: bool },
    Whiteout,
}

/// The changes in the layer `container` over the image's layers, lowest first; the paths
/// are as the container sees them.
///
/// # Errors
///
/// A folder of the container layer cannot be read.
pub fn changes(
    driver: Driver,
    container: &Path,
    image: &[PathBuf],
) -> anyhow::Result<BTreeMap<PathBuf, Change>> {
    let mut walk = Walk {
        driver,
        container,
        image,
        found: BTreeMap::new(),
    };
    walk.folder(Path::new(""), true)?;
    Ok(walk.found)
}

struct Walk<'a> {
    driver: Driver,
    container: &'a Path,
    image: &'a [PathBuf],
    found: BTreeMap<PathBuf, Change>,
}

impl Walk<'_> {
    /// Looks at a folder of the container layer; `merged`: the image's is visible below it.
    fn folder(&mut self, folder: &Path, merged: bool) -> anyhow::Result<()> {
        let place = self.container.join(folder);
        let entries = fs::read_dir(&place).with_context(|| format!("read {}", place.display()))?;
        for entry in entries {
            let name = entry.with_context(|| format!("read {}", place.display()))?.file_name();
            match aufs_meaning(self.driver, &name) {
                Some(Meaning::Own) => {}
                Some(Meaning::Gone(gone)) => self.note(&folder.join(gone), Change::Deleted),
                None => self.entry(&folder.join(name), merged)?,
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, merged: bool) -> anyhow::Result<()> {
        let place = self.container.join(path);
        let data =
            fs::symlink_metadata(&place).with_context(|| format!("stat {}", place.display()))?;
        let below = if merged {
            in_image(self.driver, self.image, path)
        } else {
            None
        };
        let change = if below.is_some() {
            Change::Changed
        } else {
            Change::Added
        };
        // ANCHOR: exercise-changes
        match look(self.driver, &place, &data) {
            Entry::Whiteout => self.note(path, Change::Deleted),
            Entry::File => self.note(path, change),
            Entry::Folder { opaque } => {
                let goes_on = !opaque && below.as_ref().is_some_and(Metadata::is_dir);
                let same = |other: &Metadata| {
                    (data.mode(), data.uid(), data.gid())
                        == (other.mode(), other.uid(), other.gid())
                };
                // A folder is copied up because of what is in it: that alone is no change of it.
                if !goes_on || !below.as_ref().is_some_and(same) {
                    self.note(path, change);
                }
                self.folder(path, goes_on)?;
            }
        }
        // ANCHOR_END: exercise-changes
        Ok(())
    }

    fn note(&mut self, path: &Path, change: Change) {
        self.found.insert(Path::new("/").join(path), change);
    }
}

/// What a name means to aufs, if it is one of its own.
enum Meaning<'a> {
    /// A file for its book-keeping.
    Own,
    /// The whiteout of this name.
    Gone(&'a Path),
}

fn aufs_meaning(driver: Driver, name: &OsStr) -> Option<Meaning<'_>> {
    let gone = name.as_bytes().strip_prefix(b".wh.").filter(|_| driver == Driver::Aufs)?;
    Some(if gone.starts_with(b".wh.") {
        Meaning::Own
    } else {
        Meaning::Gone(Path::new(OsStr::from_bytes(gone)))
    })
}

/// What the image shows under this path: the highest layer that says anything counts.
fn in_image(driver: Driver, image: &[PathBuf], path: &Path) -> Option<Metadata> {
    image.iter().rev().find_map(|layer| says(driver, layer, path)).flatten()
}

/// `None`: the layer says nothing of this path. `Some(None)`: it hides it.
fn says(driver: Driver, layer: &Path, path: &Path) -> Option<Option<Metadata>> {
    let mut hides = None;
    let mut place = layer.to_owned();
    let mut found = None;
    for part in path.components() {
        let whiteout = [b".wh.", part.as_os_str().as_bytes()].concat();
        if driver == Driver::Aufs
            && place.join(OsStr::from_bytes(&whiteout)).symlink_metadata().is_ok()
        {
            return Some(None);
        }
        place.push(part);
        let Ok(data) = fs::symlink_metadata(&place) else {
            return hides;
        };
        match look(driver, &place, &data) {
            Entry::Whiteout => return Some(None),
            Entry::Folder { opaque: true } => hides = Some(None),
            Entry::Folder { opaque: false } | Entry::File => {}
        }
        found = Some(data);
    }
    Some(found)
}

fn look(driver: Driver, place: &Path, data: &Metadata) -> Entry {
    let overlay = driver == Driver::Overlay;
    match data {
        data if data.is_dir() => Entry::Folder {
            opaque: is_opaque(driver, place),
        },
        data if overlay && is_device_0_0(data) => Entry::Whiteout,
        data if overlay && data.is_file() && data.len() == 0 && has(place, "whiteout") => {
            Entry::Whiteout
        }
        _ => Entry::File,
    }
}

fn is_device_0_0(data: &Metadata) -> bool {
    data.file_type().is_char_device() && data.rdev() == 0
}

fn is_opaque(driver: Driver, folder: &Path) -> bool {
    match driver {
        Driver::Aufs => folder.join(".wh..wh..opq").symlink_metadata().is_ok(),
        Driver::Overlay => attribute(folder, "opaque") == Some(b'y'),
    }
}

fn has(path: &Path, name: &str) -> bool {
    attribute(path, name).is_some()
}

/// The first byte of overlay's extended attribute, with either of its prefixes.
fn attribute(path: &Path, name: &str) -> Option<u8> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    ["trusted", "user"].iter().find_map(|prefix| {
        let name = CString::new(format!("{prefix}.overlay.{name}")).ok()?;
        first_byte(&path, &name)
    })
}

fn first_byte(path: &CStr, name: &CStr) -> Option<u8> {
    let mut value = [0u8; 16];
    // SAFETY: two strings that end with a zero, and a buffer with its length.
    let length = unsafe {
        libc::lgetxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len())
    };
    (length >= 0).then(|| if length == 0 { 0 } else { value[0] })
}
// ANCHOR_END: changes

#[cfg(test)]
mod tests {
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
