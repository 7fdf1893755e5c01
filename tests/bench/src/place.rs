//! What does a user's container find: a root file system, layers, a cgroup, an OCI bundle?

use std::{
    fs,
    os::unix::fs::{PermissionsExt, lchown},
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};

use anyhow::Context;
use ch07_cgroup_memory::{
    base::Base,
    hierarchy::{hierarchies_of, with_controller},
};
use judge::{User, cgroups};
use lab::warn;

use crate::programs::Programs;

/// The files of one user, in a folder of the programs' folder.
pub struct Place {
    pub user: User,
    /// The folder, and the user's home.
    pub folder: PathBuf,
    /// Where the floor makes groups with a memory limit. Kept as it is for as long as this lives:
    /// on cgroup v2 the controllers stay switched on.
    base: Option<Base>,
}

/// The limit: of the stages, the floor (`c/floor.c`) and the bundle.
pub const LIMIT: &str = "100m";

impl Place {
    /// Makes them.
    ///
    /// # Errors
    ///
    /// A file cannot be made.
    pub fn new(programs: &Programs, user: User) -> anyhow::Result<Place> {
        let folder = programs.path(user.name());
        let place = Place {
            user,
            base: (user == User::Root).then(base).flatten(),
            folder,
        };
        for folder in ["rootfs", "layers/0", "home", "mnt", "state", "bundle"] {
            fs::create_dir_all(place.folder.join(folder)).context("make a folder")?;
        }
        for root in ["rootfs", "layers/0"] {
            fill(&place.folder.join(root), &programs.path("true"))?;
        }
        (1..4).try_for_each(|layer| place.layer(layer).map(drop))?;
        let config = crate::bundle::config(&place);
        fs::write(place.folder.join("bundle/config.json"), config).context("write a bundle")?;
        place.give_away(&place.folder)?;
        Ok(place)
    }

    /// The image layer with this number. All but the lowest have a file of their own.
    pub fn layer(&self, number: usize) -> anyhow::Result<PathBuf> {
        let layer = self.folder.join("layers").join(number.to_string());
        if !layer.exists() {
            fs::create_dir_all(&layer).with_context(|| format!("make {}", layer.display()))?;
            fs::write(layer.join(format!("file-{number}")), "")?;
            self.give_away(&layer)?;
        }
        Ok(layer)
    }

    /// The group in which a memory limit can be had.
    pub fn group(&self) -> Option<&Path> {
        self.base.as_ref().map(Base::folder)
    }

    /// Gives the user a folder and what is in it.
    pub fn give_away(&self, folder: &Path) -> anyhow::Result<()> {
        if self.user.is_another() {
            give(folder, self.user.uid(), self.user.gid())?;
        }
        Ok(())
    }

    /// What the groups are called, or begin with, that peers and the floor make.
    pub fn groups_name(&self) -> String {
        format!("bench-{}.c", process::id())
    }
}

/// Removes the groups that a start has left which was interrupted.
impl Drop for Place {
    fn drop(&mut self) {
        let name = self.groups_name();
        let is_ours =
            |group: &PathBuf| group.iter().any(|part| part.to_string_lossy().starts_with(&name));
        for _ in 0..100 {
            // The groups below come after the one above: from the end.
            let groups = cgroups::all().unwrap_or_default().into_keys().filter(is_ours).rev();
            let left: Vec<PathBuf> =
                groups.filter(|group| fs::remove_dir(group).is_err()).collect();
            if left.is_empty() {
                return;
            }
            thread::sleep(Duration::from_millis(20)); // its processes are ending
        }
        warn!("groups called {name} stay: processes are in them");
    }
}

/// Gives a folder and all in it to this user and group.
pub fn give(path: &Path, uid: u32, gid: u32) -> anyhow::Result<()> {
    lchown(path, Some(uid), Some(gid)).with_context(|| format!("chown {}", path.display()))?;
    if path.symlink_metadata()?.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), uid, gid)?;
        }
    }
    Ok(())
}

/// A group for limits, as chapter 7 finds one.
fn base() -> Option<Base> {
    let prepare = || {
        let hierarchies = hierarchies_of("self")?;
        Base::prepare(with_controller(&hierarchies, "memory")?, &["memory"])
    };
    let mut base = prepare()
        .inspect_err(|error| warn!("nothing is measured with a memory limit: {error:#}"))
        .ok()?;
    base.ready();
    Some(base)
}

/// A root file system: the payload, and the folders that are mounted on.
fn fill(root: &Path, payload: &Path) -> anyhow::Result<()> {
    for folder in ["proc", "sys", "dev", "tmp"] {
        fs::create_dir(root.join(folder)).context("make a folder")?;
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    fs::copy(payload, root.join("true")).context("copy the payload")?;
    Ok(())
}
