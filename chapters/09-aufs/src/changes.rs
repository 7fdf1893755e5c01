//! What did the container change? The container layer says it.
//!
//! A file there was added or changed; a whiteout says that something below was deleted;
//! an opaque folder hides what is below it. Overlay has a device 0/0 for a whiteout (or
//! an attribute of an empty file) and an attribute for an opaque folder; aufs has
//! `.wh.NAME` and `.wh..wh..opq`, and files of its own that begin with `.wh..wh.`.
//! Source: Documentation/filesystems/overlayfs.rst of the kernel, aufs(5).

use std::{
    collections::BTreeMap,
    ffi::{CStr, CString},
    fmt,
    fs::{self, Metadata},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use anyhow::Context;

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
pub fn changes(container: &Path, image: &[PathBuf]) -> anyhow::Result<BTreeMap<PathBuf, Change>> {
    let mut found = BTreeMap::new();
    walk(container, Path::new(""), image, &mut found)?;
    Ok(found)
}

fn walk(layer: &Path, folder: &Path, image: &[PathBuf], found: &mut BTreeMap<PathBuf, Change>) -> anyhow::Result<()> {
    let place = layer.join(folder);
    let entries = fs::read_dir(&place).with_context(|| format!("read {}", place.display()))?;
    for entry in entries {
        let name = entry.with_context(|| format!("read {}", place.display()))?.file_name();
        if name.as_bytes().starts_with(b".wh..wh.") {
            continue;
        }
        if let Some(gone) = name.as_bytes().strip_prefix(b".wh.") {
            found.insert(shown(&folder.join(Path::new(std::ffi::OsStr::from_bytes(gone)))), Change::Deleted);
            continue;
        }
        let path = folder.join(&name);
        let below = in_image(image, &path);
        match look(layer, &path)? {
            Entry::Whiteout => {
                found.insert(shown(&path), Change::Deleted);
            }
            Entry::Folder { opaque: false } if below => walk(layer, &path, image, found)?,
            Entry::Folder { .. } => {
                found.insert(shown(&path), if below { Change::Changed } else { Change::Added });
                walk(layer, &path, &[], found)?;
            }
            Entry::File => {
                found.insert(shown(&path), if below { Change::Changed } else { Change::Added });
            }
        }
    }
    Ok(())
}

fn shown(path: &Path) -> PathBuf {
    Path::new("/").join(path)
}

/// Whether the image shows something under this path: the highest layer that says anything counts.
fn in_image(image: &[PathBuf], path: &Path) -> bool {
    image.iter().rev().find_map(|layer| says(layer, path)).unwrap_or(false)
}

/// Whether a layer has this path (`true`), hides it (`false`), or says nothing of it.
fn says(layer: &Path, path: &Path) -> Option<bool> {
    let mut hides = None;
    let mut so_far = PathBuf::new();
    for part in path.components() {
        let whiteout = [b".wh.", part.as_os_str().as_bytes()].concat();
        if layer.join(&so_far).join(Path::new(std::ffi::OsStr::from_bytes(&whiteout))).symlink_metadata().is_ok() {
            return Some(false);
        }
        so_far.push(part);
        match look(layer, &so_far) {
            Ok(Entry::Whiteout) => return Some(false),
            Ok(Entry::Folder { opaque: true }) => hides = Some(false),
            Ok(_) => {}
            Err(_) => return hides,
        }
    }
    Some(true)
}

fn look(layer: &Path, path: &Path) -> anyhow::Result<Entry> {
    let place = layer.join(path);
    let data = fs::symlink_metadata(&place).with_context(|| format!("stat {}", place.display()))?;
    Ok(match data {
        data if data.is_dir() => Entry::Folder { opaque: is_opaque(&place) },
        data if is_device_0_0(&data) => Entry::Whiteout,
        data if data.is_file() && data.len() == 0 && has(&place, "whiteout") => Entry::Whiteout,
        _ => Entry::File,
    })
}

fn is_device_0_0(data: &Metadata) -> bool {
    data.file_type().is_char_device() && data.rdev() == 0
}

fn is_opaque(folder: &Path) -> bool {
    attribute(folder, "opaque") == Some(b'y') || folder.join(".wh..wh..opq").symlink_metadata().is_ok()
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
    let length = unsafe { libc::lgetxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    (length >= 0).then(|| if length == 0 { 0 } else { value[0] })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test's own, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let folder = std::env::temp_dir().join(format!("changes-{name}-{}", std::process::id()));
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
        scratch.file("up/f").file("up/new").file("up/.wh.gone").file("up/.wh..wh.aufs").file("up/.wh..wh.plnk/x");
        scratch.file("up/d/.wh..wh..opq").file("up/d/fresh").file("up/kept/more").file("up/hidden");
        let image = [scratch.0.join("low"), scratch.0.join("mid")];
        let found: Vec<String> = changes(&scratch.0.join("up"), &image)
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
