// ANCHOR: whiteout
//! What does an entry of a layer mean?
//!
//! Overlay has a device 0/0 for a whiteout (or an attribute of an empty file) and an attribute for
//! an opaque folder; aufs has `.wh.NAME` and `.wh..wh..opq`, and files of its own that begin with
//! `.wh..wh.`.

use std::{
    ffi::OsStr,
    os::{
        fd::{AsRawFd, BorrowedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use rustix::fs::{AtFlags, FileType, Stat, lgetxattr, statat};

use crate::driver::Driver;

/// What an entry of a layer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Itself; a link is a file here.
    File,
    /// A folder: an opaque one hides what the layers below have in it.
    Folder { is_opaque: bool },
    /// Nothing is here: the name was deleted.
    Whiteout,
}

/// The meaning of the entry `name` of `folder`, which looks like this.
pub(crate) fn meaning(driver: Driver, folder: BorrowedFd, name: &OsStr, stat: &Stat) -> Meaning {
    let is_overlay = driver == Driver::Overlay;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Meaning::Folder {
            is_opaque: match driver {
                Driver::Aufs => exists(folder, &Path::new(name).join(".wh..wh..opq")),
                Driver::Overlay => attribute(folder, name, "opaque") == Some(b'y'),
            },
        },
        FileType::CharacterDevice if is_overlay && stat.st_rdev == 0 => Meaning::Whiteout,
        FileType::RegularFile
            if is_overlay && stat.st_size == 0 && attribute(folder, name, "whiteout").is_some() =>
        {
            Meaning::Whiteout
        }
        _ => Meaning::File,
    }
}

/// What a name means to aufs, if it is one of its own: for book-keeping (`None`), or the name that
/// it hides.
pub(crate) fn aufs_meaning(driver: Driver, name: &OsStr) -> Option<Option<&OsStr>> {
    let gone = name.as_bytes().strip_prefix(b".wh.").filter(|_| driver == Driver::Aufs)?;
    Some((!gone.starts_with(b".wh.")).then(|| OsStr::from_bytes(gone)))
}

/// Whether aufs hides the entry `name` of the folder, in the layers below.
pub(crate) fn is_hidden_by_aufs(folder: BorrowedFd, name: &OsStr) -> bool {
    exists(folder, Path::new(OsStr::from_bytes(&[b".wh.", name.as_bytes()].concat())))
}

fn exists(folder: BorrowedFd, path: &Path) -> bool {
    statat(folder, path, AtFlags::SYMLINK_NOFOLLOW).is_ok()
}

/// The first byte of overlay's extended attribute, with either of its prefixes; zero if it is
/// empty.
fn attribute(folder: BorrowedFd, name: &OsStr, attribute: &str) -> Option<u8> {
    // There is no lgetxattr that takes a folder before Linux 6.13; this path goes through it.
    let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    let mut value = [0; 16];
    ["trusted", "user"].iter().find_map(|prefix| {
        let attribute = format!("{prefix}.overlay.{attribute}");
        let length = lgetxattr(&path, &*attribute, &mut value).ok()?;
        Some(if length == 0 { 0 } else { value[0] })
    })
}
// ANCHOR_END: whiteout

#[cfg(test)]
mod properties;
