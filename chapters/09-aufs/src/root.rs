// ANCHOR: root
//! How does the keeper make a root from the layers, and what becomes of them at the end?

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use lab::{debug, info, rootfs::UsualUmask, warn};
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    unistd::{Gid, Pid, Uid, chown},
};

use crate::{
    changes::{Change, changes, in_image},
    furnish::FOLDERS,
    layers::{ContainerLayer, Layers, clear_temporary},
    scratch::{self, Scratch},
    stack::Stack,
};

/// How many changes the log lists for a person; for a machine, all.
const LISTED: usize = 40;

/// A mounted root. When this is dropped, all that is not to be kept is removed.
pub struct Root<'a> {
    layers: &'a Layers,
    stack: Stack,
    /// `None` where all is in memory.
    scratch: Option<Scratch>,
}

impl Layers {
    /// The keeper: mounts the root.
    ///
    /// # Errors
    ///
    /// The kernel refuses it, or the container layer's file system cannot hold one; or a container
    /// whose runtime was killed still has the container layer.
    pub fn mount(&self) -> anyhow::Result<Root<'_>> {
        let tmpfs = self.cache.join("mnt");
        fs::create_dir_all(&tmpfs).with_context(|| format!("make {}", tmpfs.display()))?;
        mount(Some("none"), &tmpfs, Some("tmpfs"), MsFlags::empty(), Some("mode=755"))
            .with_context(|| format!("mount a tmpfs on {}", tmpfs.display()))?;
        let scratch = self.container.as_ref().map(|layer| self.beside(layer)).transpose()?;
        let place = scratch.as_ref().map_or(&*tmpfs, Scratch::folder);
        let stack = Stack {
            image: self.image.clone(),
            container: match &self.container {
                Some(layer) => layer.folder.clone(),
                None => place.join("layer"),
            },
            work: place.join("work"),
            merged: tmpfs.join("merged"),
        };
        let _umask = UsualUmask::set();
        for folder in [&stack.container, &stack.work, &stack.merged] {
            fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        }
        look_like_the_image(&stack)?;
        self.driver.mount(&stack)?;
        info!("{}: {} image layers and a container layer", self.driver, self.image.len());
        Ok(Root {
            layers: self,
            stack,
            scratch,
        })
    }

    /// The folder that this run needs beside a container layer on disk.
    fn beside(&self, layer: &ContainerLayer) -> anyhow::Result<Scratch> {
        clear_temporary(&self.cache, &layer.folder);
        scratch::clear_left_over(&layer.folder)?;
        let scratch = Scratch::new(&layer.folder)?;
        self.driver.require_attributes(scratch.folder())?;
        Ok(scratch)
    }

    /// A second keeper: clears up after one that was killed. It removes a container layer only if
    /// there was a container.
    pub fn clear(&self, had_container: bool) {
        let Some(layer) = &self.container else {
            return; // in memory
        };
        if layer.is_removed && had_container {
            scratch::remove(&layer.folder);
        }
        if let Err(error) = scratch::clear_left_over(&layer.folder) {
            warn!("the next run will clear up: {error:#}");
        }
    }

    /// The parent, of a run that has failed: removes a container layer that the run made, unless
    /// the container has written to it.
    pub fn unmake(&self) {
        if let Some(layer) = self.container.as_ref().filter(|layer| layer.is_new)
            && fs::remove_dir(&layer.folder).is_ok()
        {
            info!("removed {}: it is empty", layer.folder.display());
        }
    }
}

/// The mode and owner of `/` inside are the container layer's own. An empty container layer gets
/// the image's.
fn look_like_the_image(stack: &Stack) -> anyhow::Result<()> {
    let (layer, top) = (&stack.container, stack.image.last().context("an image has layers")?);
    let is_empty = fs::read_dir(layer).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty {
        let of_image = fs::metadata(top).with_context(|| format!("stat {}", top.display()))?;
        fs::set_permissions(layer, of_image.permissions())
            .with_context(|| format!("chmod {}", layer.display()))?;
        let (uid, gid) = (Uid::from_raw(of_image.uid()), Gid::from_raw(of_image.gid()));
        if let Err(errno) = chown(layer, Some(uid), Some(gid)) {
            info!(
                "/ does not belong to {uid}:{gid}, as it does in the image: chown: {}",
                errno.desc()
            );
        }
    }
    Ok(())
}

impl Root<'_> {
    /// Where the root appears, in the keeper's mount namespace.
    pub fn folder(&self) -> &Path {
        &self.stack.merged
    }

    /// Notes to which process the layers belong, for the next run, in case this one is killed.
    ///
    /// # Errors
    ///
    /// The note cannot be written.
    pub fn belongs_to(&self, container: Pid) -> anyhow::Result<()> {
        self.scratch.as_ref().map_or(Ok(()), |scratch| scratch.belongs_to(container))
    }

    /// Logs what the container changed, and where that is kept. The container has ended, so a layer
    /// that cannot be read does not change its exit status.
    pub fn report(&self) {
        if !lab::log::is_on() {
            return;
        }
        let layers = self.layers;
        let mut found = match changes(layers.driver, &self.stack.container, &layers.image) {
            Ok(found) => found,
            Err(error) => return warn!("what did the container change? {error:#}"),
        };
        // Made for mounts, where the image lacks them.
        for folder in FOLDERS.map(Path::new) {
            let path: PathBuf = Path::new("/").join(folder);
            let is_of_image =
                || in_image(layers.driver, &layers.image, folder).is_ok_and(|of| of.is_some());
            if found.get(&path) == Some(&Change::Added) && !is_of_image() {
                found.remove(&path);
            }
        }
        let changes = if found.len() == 1 {
            "change"
        } else {
            "changes"
        };
        match found.len() {
            0 => debug!("the container layer: 0 changes"),
            number => info!("the container layer: {number} {changes}"),
        }
        let listed = match lab::context::form() {
            lab::context::Form::Json => found.len(),
            _ => LISTED,
        };
        for (path, change) in found.iter().take(listed) {
            info!("{change} {}", path.display());
        }
        if found.len() > listed {
            info!("and {} more", found.len() - listed);
        }
        if layers.container.as_ref().is_some_and(|layer| !layer.is_removed) {
            info!("kept: --container-layer {}", self.stack.container.display());
        }
    }
}

impl Drop for Root<'_> {
    fn drop(&mut self) {
        if let Err(errno) = umount2(&self.stack.merged, MntFlags::MNT_DETACH) {
            warn!("unmount {}: {}", self.stack.merged.display(), errno.desc());
        }
        if let Some(layer) = self.layers.container.as_ref().filter(|layer| layer.is_removed) {
            scratch::remove(&layer.folder);
        }
    }
}
// ANCHOR_END: root
