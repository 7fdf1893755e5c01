//! From which layers is the root made, and what becomes of the container layer?

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, ensure};
use ch07_cgroup_memory::group::{maker_is_gone, maker_name};
use lab::rootfs::UsualUmask;
use lab::{info, warn};
use nix::{
    fcntl::{Flock, FlockArg},
    mount::{MntFlags, MsFlags, mount, umount2},
};

use crate::{
    changes::{Change, changes},
    driver::{Driver, Stack},
    furnish::FOLDERS,
    image::{cache_folder, default_image},
};

/// What this chapter adds to the command line.
#[derive(clap::Args, Clone, Debug)]
pub struct LayerOptions {
    /// An image layer; the lowest first (repeatable) [default: a small image, made once]
    #[arg(long, value_name = "DIR", conflicts_with = "rootfs")]
    pub layer: Vec<PathBuf>,

    /// The container layer, which collects what changes [default: a temporary one]
    #[arg(long, value_name = "DIR", conflicts_with = "rootfs")]
    pub container_layer: Option<PathBuf>,

    /// What puts the layers together [default: aufs where the kernel has it, else overlay]
    #[arg(long, conflicts_with = "rootfs")]
    pub driver: Option<Driver>,

    /// Keep the container layer for the next run [default with --container-layer]
    #[arg(long, conflicts_with_all = ["rm", "rootfs"])]
    pub keep: bool,

    /// Remove the container layer at the end [default without --container-layer]
    #[arg(long, conflicts_with = "rootfs")]
    pub rm: bool,
}

/// How many changes the log lists.
const LISTED: usize = 40;

/// The layers of a root, found and checked, before anything is cloned.
pub struct Layers {
    driver: Driver,
    image: Vec<PathBuf>,
    /// The container layer; `None`: a temporary one.
    container: Option<Locked>,
    remove: bool,
    cache: PathBuf,
}

/// A container layer that no other container has.
struct Locked {
    folder: PathBuf,
    _lock: Flock<File>,
}

impl Layers {
    /// Finds the layers that were asked for, or prepares the default image.
    ///
    /// # Errors
    ///
    /// A layer is not there, is no folder, or is in use by another container.
    pub fn find(options: &LayerOptions) -> anyhow::Result<Layers> {
        let driver = Driver::choose(options.driver)?;
        let cache = cache_folder()?;
        let image = match &options.layer[..] {
            [] => default_image(&cache)?,
            named => named.iter().map(|layer| folder(layer, "layer")).collect::<Result<_, _>>()?,
        };
        let kept = cache.join("kept").join(maker_name()?);
        let container = match &options.container_layer {
            Some(named) => Some(Locked::new(named)?),
            None if options.keep => Some(Locked::new(&kept)?),
            None => None,
        };
        let container_folder = container.as_ref().map(|container| container.folder.as_path());
        refuse_overlaps(&image, container_folder)?;
        Ok(Layers {
            driver,
            image,
            container,
            remove: options.rm,
            cache,
        })
    }

    /// The keeper: mounts the root.
    ///
    /// # Errors
    ///
    /// The kernel refuses it, or the container layer's file system cannot hold one.
    pub fn mount(&self) -> anyhow::Result<Root> {
        let scratch = self.cache.join("mnt");
        fs::create_dir_all(&scratch).with_context(|| format!("make {}", scratch.display()))?;
        mount(Some("none"), &scratch, Some("tmpfs"), MsFlags::empty(), Some("mode=755"))
            .with_context(|| format!("mount a tmpfs on {}", scratch.display()))?;
        let mut root = match &self.container {
            Some(Locked { folder, .. }) => {
                self.rehearse(&beside(folder, "rehearsal")?)?;
                let work = beside(folder, "work")?;
                let mut root = self.root(&scratch, folder.clone(), work.clone());
                root.removed.push(work);
                root
            }
            None => self.temporary(&scratch)?,
        };
        let _umask = UsualUmask::set();
        for folder in [&root.stack.container, &root.stack.work, &root.stack.merged] {
            fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        }
        self.driver.mount(&root.stack)?;
        root.mounted = true;
        root.furnished = FOLDERS.iter().map(|name| Path::new("/").join(name)).collect();
        root.furnished.retain(|path| {
            !root.stack.merged.join(path.strip_prefix("/").unwrap_or(path)).exists()
        });
        // Only now: a layer that somebody named is not removed because of an error before.
        match &self.container {
            Some(Locked { folder, .. }) if self.remove => root.removed.push(folder.clone()),
            Some(_) => root.is_kept = true,
            None => {}
        }
        info!("{}: {} image layers and a container layer", self.driver, self.image.len());
        Ok(root)
    }

    /// In memory, where it goes with the keeper; on disk, where memory cannot hold the
    /// attributes that overlay writes (tmpfs before Linux 6.6, for an ordinary user).
    fn temporary(&self, scratch: &Path) -> anyhow::Result<Root> {
        let Err(reason) = self.rehearse(&scratch.join("rehearsal")) else {
            return Ok(self.root(scratch, scratch.join("layer"), scratch.join("work")));
        };
        let folder = self.cache.join("temporary");
        info!("container layer on disk: tmpfs cannot hold it");
        let own = folder.join(maker_name()?);
        self.rehearse(&own).map_err(|on_disk| {
            match format!("{on_disk:#}") == format!("{reason:#}") {
                true => on_disk, // it is not about the disk
                false => on_disk.context(format!("{reason:#}; on disk")),
            }
        })?;
        clear_stale(&folder);
        let mut root = self.root(scratch, own.join("layer"), own.join("work"));
        root.removed.push(own);
        Ok(root)
    }

    fn root(&self, scratch: &Path, container: PathBuf, work: PathBuf) -> Root {
        let stack = Stack {
            image: self.image.clone(),
            container,
            work,
            merged: scratch.join("merged"),
        };
        Root {
            stack,
            removed: Vec::new(),
            mounted: false,
            is_kept: false,
            furnished: Vec::new(),
            driver: self.driver,
        }
    }

    /// Deletes a folder of a lower layer and makes it again, in `folder`, which is on the
    /// container layer's file system: a mount that can be made may still not be able to.
    fn rehearse(&self, folder: &Path) -> anyhow::Result<()> {
        if self.driver == Driver::Aufs {
            return Ok(());
        }
        let _removed = Removed(folder);
        let lower = folder.join("lower");
        let part = |name: &str| folder.join(name);
        let stack = Stack {
            image: vec![lower.clone()],
            container: part("upper"),
            work: part("work"),
            merged: part("merged"),
        };
        for folder in [&lower.join("folder/below"), &stack.container, &stack.work, &stack.merged] {
            fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        }
        self.driver.mount(&stack)?;
        let again = stack.merged.join("folder");
        let outcome = fs::remove_dir_all(&again).and_then(|()| fs::create_dir(&again));
        umount2(&stack.merged, MntFlags::MNT_DETACH).context("unmount the rehearsal")?;
        outcome.map_err(|error| {
            anyhow!(
                "overlay cannot make a deleted folder again on the file system of {}: {error}: \
                 name a --container-layer on another (ext4, xfs, btrfs; tmpfs since Linux 6.6)",
                folder.display()
            )
        })
    }
}

impl Locked {
    fn new(path: &Path) -> anyhow::Result<Locked> {
        fs::create_dir_all(path).with_context(|| format!("container layer {}", path.display()))?;
        let folder = folder(path, "container layer")?;
        let file = File::open(&folder).with_context(|| format!("open {}", folder.display()))?;
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock)
            .map_err(|_| anyhow!("container layer {}: another container has it", path.display()))?;
        Ok(Locked {
            folder,
            _lock: lock,
        })
    }
}

/// A layer that is twice in the stack, or a container layer inside an image layer, would
/// be written to and read from at once.
fn refuse_overlaps(image: &[PathBuf], container: Option<&Path>) -> anyhow::Result<()> {
    for (index, layer) in image.iter().enumerate() {
        ensure!(!image[..index].contains(layer), "layer {}: it is named twice", layer.display());
        if let Some(container) = container {
            let apart = !container.starts_with(layer) && !layer.starts_with(container);
            ensure!(
                apart,
                "container layer {}: it overlaps the layer {}",
                container.display(),
                layer.display()
            );
        }
    }
    Ok(())
}

fn folder(path: &Path, what: &str) -> anyhow::Result<PathBuf> {
    let found = path.canonicalize().with_context(|| format!("{what} {}", path.display()))?;
    ensure!(found.is_dir(), "{what} {}: it is not a folder", path.display());
    Ok(found)
}

/// `/a/layer` → `/a/.layer.work`: on the same file system, and not in the layer.
fn beside(folder: &Path, what: &str) -> anyhow::Result<PathBuf> {
    let name = folder
        .file_name()
        .with_context(|| format!("container layer {}: it has no name", folder.display()))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{what}"));
    Ok(folder.with_file_name(hidden))
}

/// Removes the temporary layers of keepers that were killed.
fn clear_stale(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(maker_is_gone) {
            remove(&entry.path());
        }
    }
}

fn remove(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            warn!("remove {}: {error}", folder.display())
        }
        _ => {}
    }
}

/// A folder that is removed when this is dropped.
struct Removed<'a>(&'a Path);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        remove(self.0);
    }
}

/// A mounted root. What is not to be kept of it is removed when it is dropped.
pub struct Root {
    stack: Stack,
    removed: Vec<PathBuf>,
    mounted: bool,
    is_kept: bool,
    /// The folders that the image lacks, and that are made for mounts.
    furnished: Vec<PathBuf>,
    driver: Driver,
}

impl Root {
    /// Where the root appears, in the keeper's mount namespace.
    pub fn folder(&self) -> &Path {
        &self.stack.merged
    }

    /// Says on the log what the container changed, and where that is kept.
    ///
    /// # Errors
    ///
    /// The container layer cannot be read.
    pub fn report(&self) -> anyhow::Result<()> {
        let mut found = changes(self.driver, &self.stack.container, &self.stack.image)?;
        found.retain(|path, change| *change != Change::Added || !self.furnished.contains(path));
        let changes = if found.len() == 1 {
            "change"
        } else {
            "changes"
        };
        info!("the container layer: {} {changes}", found.len());
        for (path, change) in found.iter().take(LISTED) {
            info!("{change} {}", path.display());
        }
        if found.len() > LISTED {
            info!("and {} more", found.len() - LISTED);
        }
        if self.is_kept {
            info!("kept: --container-layer {}", self.stack.container.display());
        }
        Ok(())
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if self.mounted
            && let Err(errno) = umount2(&self.stack.merged, MntFlags::MNT_DETACH)
        {
            warn!("unmount {}: {}", self.stack.merged.display(), errno.desc());
        }
        self.removed.iter().for_each(|folder| remove(folder));
    }
}
