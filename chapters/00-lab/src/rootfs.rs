// ANCHOR: rootfs
//! Where does a small root file system come from, without a network?
//!
//! From this machine: copies of a fixed list of its programs, with the libraries that they
//! need. The list does not depend on what else is installed, so the same words work in every
//! image; a program that is missing here is an error, and not a smaller image.

use std::{
    collections::{HashMap, hash_map::Entry},
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, ensure};
use nix::sys::stat::{Mode, umask};

use crate::{libraries::libraries, programs};

const FOLDERS: [&str; 9] = ["bin", "dev", "etc", "mnt", "proc", "root", "run", "sys", "var"];
/// Other names of the same folders, for scripts and libraries that use them.
const LINKS: [(&str, &str); 2] = [("usr", "."), ("sbin", "bin")];

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/:/bin/sh\n\
                      nobody:x:65534:65534:nobody:/:/bin/sh\n";
const GROUP: &str = "root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n";

/// The file that says which system this is (os-release(5)). It is written last: a folder
/// that has it holds a whole image.
const MARK: &str = "etc/os-release";
const SYSTEM: &str = "NAME=\"From clone(2) to a container\"\nID=clone-to-container\nVERSION_ID=2\n";

/// While it lives, files are made with the usual permissions (umask(2) 022), whatever the
/// caller's are: a root file system is for more users than one.
pub struct UsualUmask(Mode);

impl UsualUmask {
    /// Changes this process's umask.
    #[must_use]
    pub fn set() -> UsualUmask {
        UsualUmask(umask(Mode::S_IWGRP | Mode::S_IWOTH))
    }
}

impl Drop for UsualUmask {
    fn drop(&mut self) {
        umask(self.0);
    }
}

/// Builds a root file system in `root`, a folder that is new or empty. One that this function
/// has built is left as it is.
///
/// # Errors
///
/// `root` holds something else or cannot be written, or this machine lacks a program.
pub fn build(root: &Path) -> anyhow::Result<()> {
    if fs::read(root.join(MARK)).is_ok_and(|text| text == SYSTEM.as_bytes()) {
        return Ok(());
    }
    let programs = programs::on_this_machine()?;
    let _umask = UsualUmask::set();
    fs::create_dir_all(root).with_context(|| format!("create {}", root.display()))?;
    let mut there = fs::read_dir(root).with_context(|| format!("read {}", root.display()))?;
    ensure!(
        there.next().is_none(),
        "{} is not empty, and no whole image: name a new folder, or remove this one",
        root.display()
    );
    fill(root, &programs).with_context(|| format!("build an image in {}", root.display()))
}

fn fill(root: &Path, programs: &[(&str, PathBuf)]) -> anyhow::Result<()> {
    for folder in FOLDERS {
        fs::create_dir(root.join(folder)).with_context(|| format!("create {folder}"))?;
    }
    for (name, target) in LINKS {
        symlink(target, root.join(name)).with_context(|| format!("link {name} to {target}"))?;
    }
    let tmp = root.join("tmp");
    fs::create_dir(&tmp).context("create tmp")?;
    fs::set_permissions(&tmp, fs::Permissions::from_mode(0o1777)).context("chmod tmp")?;
    let mut copies = Copies {
        root,
        first: HashMap::new(),
    };
    // A stage can run in there too. (`self` would be the loader.)
    let own = format!("/proc/{}/exe", process::id());
    let mut needed = libraries(Path::new(&own))?;
    for (name, file) in programs {
        if copies.copy(file, &Path::new("/bin").join(name))? {
            needed.extend(libraries(file)?);
        }
    }
    for file in programs::data(&needed).iter().chain(&needed) {
        copies.copy(file, file)?;
    }
    for (name, text) in [("etc/passwd", PASSWD), ("etc/group", GROUP), (MARK, SYSTEM)] {
        fs::write(root.join(name), text).with_context(|| format!("write {name}"))?;
    }
    Ok(())
}

/// Copies to below `root`. A file of this machine that has several names, as a link or a
/// program of many commands, is one file with several names there too.
struct Copies<'a> {
    root: &'a Path,
    first: HashMap<(u64, u64), PathBuf>,
}

impl Copies<'_> {
    /// Whether it is the first name of this file.
    fn copy(&mut self, from: &Path, to: &Path) -> anyhow::Result<bool> {
        let place = self.root.join(to.strip_prefix("/").unwrap_or(to));
        let what = || format!("copy {} to {}", from.display(), place.display());
        let data = fs::metadata(from).with_context(what)?;
        if place.exists() {
            return Ok(false); // by another name of its folder
        }
        fs::create_dir_all(place.parent().unwrap_or(self.root)).with_context(what)?;
        match self.first.entry((data.dev(), data.ino())) {
            Entry::Occupied(first) => fs::hard_link(first.get(), &place).with_context(what)?,
            Entry::Vacant(first) => {
                fs::copy(from, &place).with_context(what)?;
                // Readable for everybody, but no set-user-ID bit.
                let mode = (data.mode() | 0o444) & 0o755;
                fs::set_permissions(&place, fs::Permissions::from_mode(mode)).with_context(what)?;
                first.insert(place);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

// ANCHOR_END: rootfs

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;

    /// A new folder for one test. Removed when dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = env::temp_dir().join(format!("rootfs-test-{}-{name}", process::id()));
            fs::create_dir(&folder).expect("a new name");
            Folder(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn an_image_is_built_once_and_then_left_alone() {
        let folder = Folder::new("twice");
        let root = folder.0.join("root");
        build(&root).expect("this machine has the programs");
        assert!(root.join("usr/bin/sh").exists());
        fs::write(root.join("traces"), "").expect("the image is ours");
        build(&root).expect("it is whole");
        assert!(root.join("traces").exists());
        // One that was interrupted lacks the mark, which is written last.
        fs::remove_file(root.join(MARK)).expect("the image is ours");
        let error = build(&root).expect_err("it is not whole").to_string();
        assert!(error.contains("root is not empty") && error.contains("new folder"), "{error}");
    }

    #[test]
    fn a_folder_with_other_files_is_refused_and_stays_as_it_is() {
        let folder = Folder::new("others");
        fs::write(folder.0.join("letter"), "").expect("a new folder");
        assert!(build(&folder.0).is_err());
        assert_eq!(fs::read_dir(&folder.0).expect("it is there").count(), 1);
    }

    #[test]
    fn a_file_with_several_names_is_copied_once() {
        let folder = Folder::new("names");
        let (from, root) = (folder.0.join("from"), folder.0.join("root"));
        fs::create_dir(&from).expect("a new folder");
        for name in ["many", "other"] {
            fs::write(from.join(name), name).expect("a new file");
        }
        fs::hard_link(from.join("many"), from.join("hard")).expect("a new link");
        symlink("many", from.join("soft")).expect("a new link");
        let mut copies = Copies {
            root: &root,
            first: HashMap::new(),
        };
        let names = ["many", "hard", "soft", "other"];
        let first =
            names.map(|name| copies.copy(&from.join(name), Path::new(name)).expect("copied"));
        assert_eq!(first, [true, false, false, true]);
        let links = names.map(|name| fs::metadata(root.join(name)).expect("it is there").nlink());
        assert_eq!(links, [3, 3, 3, 1]);
    }
}
