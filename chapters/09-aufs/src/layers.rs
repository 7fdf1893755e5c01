// ANCHOR: layers
//! Which layers does the root have, and who else may use them meanwhile?

use std::{
    fs,
    io::ErrorKind,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, anyhow, bail, ensure};
use ch06_reexec::random_name;
use ch07_cgroup_memory::base::is_container;
use lab::{
    info,
    lock::{self, Lock},
    rootfs::UsualUmask,
    warn,
};

use crate::{
    driver::Driver,
    image::{cache_folder, default_image},
    scratch,
};

/// What this chapter adds to the command line.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct LayerOptions {
    /// Use DIR as an image layer; name the lowest first (repeatable) [default: a small image, made
    /// once]
    #[arg(long, value_name = "DIR", conflicts_with = "rootfs")]
    pub layer: Vec<PathBuf>,

    /// Collect the container's changes in DIR [default: in memory, which counts for --memory]
    #[arg(long, value_name = "DIR", conflicts_with = "rootfs")]
    pub container_layer: Option<PathBuf>,

    /// Mount the layers with this union file system [default: aufs where you can mount it, else
    /// overlay]
    #[arg(long, conflicts_with = "rootfs")]
    pub driver: Option<Driver>,

    /// Keep the container layer for the next run [default if you name --container-layer]
    #[arg(long, conflicts_with_all = ["rm", "rootfs"])]
    pub keep: bool,

    /// Remove the container layer at the end [default if you name no --container-layer]
    #[arg(long, conflicts_with = "rootfs")]
    pub rm: bool,
}

/// The folder in the cache for temporary container layers where a tmpfs cannot store them.
const TEMPORARY: &str = "temporary";

/// The layers of a root, found and checked before anything is cloned. As long as this or a copy of
/// it lives, no other container has the container layer, and no container writes to an image layer.
pub struct Layers {
    pub(crate) driver: Driver,
    /// The image layers, lowest first.
    pub image: Vec<PathBuf>,
    /// `None`: a temporary one in memory.
    pub(crate) container: Option<ContainerLayer>,
    /// This program's folder in the user's cache folder.
    pub(crate) cache: PathBuf,
    _locks: Vec<Lock>,
}

/// A container layer on disk.
pub(crate) struct ContainerLayer {
    pub(crate) folder: PathBuf,
    /// Whether this run has made it.
    pub(crate) is_new: bool,
    /// Whether it is removed at the end.
    pub(crate) is_removed: bool,
    _lock: Lock,
}

impl Layers {
    /// Finds the layers that you named, or prepares the default image.
    ///
    /// # Errors
    ///
    /// A layer is not there, is no folder, another container has it, or the other driver wrote it.
    pub fn find(options: &LayerOptions) -> anyhow::Result<Layers> {
        let driver = Driver::choose(options.driver)?;
        let cache = cache_folder()?;
        let image = match &options.layer[..] {
            [] => default_image(&cache)?,
            named => named.iter().map(|layer| existing(layer)).collect::<Result<Vec<_>, _>>()?,
        };
        let (folder, is_removed) = match &options.container_layer {
            Some(path) => (Some(to_be(path)?), options.rm),
            None if options.keep => (Some(cache.join("kept").join(random_name()?)), false),
            None if driver.fits_in_memory()? => (None, true),
            None => {
                info!(
                    "container layer on disk: this kernel's tmpfs cannot store overlay's attributes"
                );
                (Some(cache.join(TEMPORARY).join(random_name()?)), true)
            }
        };
        refuse_overlaps(&image, folder.as_deref())?;
        let locks = image.iter().map(|layer| share(layer)).collect::<Result<Vec<_>, _>>()?;
        let take = |folder| ContainerLayer::take(folder, driver, is_removed);
        let temporary = cache.join(TEMPORARY);
        let is_temporary = folder.as_ref().is_some_and(|folder| folder.starts_with(&temporary));
        // No other run may find the new folder there before it is locked.
        let _turn = is_temporary.then(|| turn(&temporary)).transpose()?;
        Ok(Layers {
            driver,
            container: folder.map(take).transpose()?,
            image,
            cache,
            _locks: locks,
        })
    }
}

/// The turn to make or to remove temporary container layers.
fn turn(temporary: &Path) -> anyhow::Result<Lock> {
    let _umask = UsualUmask::set();
    fs::create_dir_all(temporary).with_context(|| format!("make {}", temporary.display()))?;
    lock::wait_for(temporary)
}

/// Before a run uses the temporary container layer `own`: removes those whose runtimes were killed.
pub(crate) fn clear_temporary(cache: &Path, own: &Path) {
    let temporary = cache.join(TEMPORARY);
    if !own.starts_with(&temporary) {
        return;
    }
    let _turn = match turn(&temporary) {
        Ok(turn) => turn,
        Err(error) => return warn!("temporary container layers may be left: {error:#}"),
    };
    for entry in fs::read_dir(&temporary).into_iter().flatten().flatten() {
        let folder = entry.path();
        let is_layer = entry.file_name().to_str().is_some_and(is_container);
        if is_layer
            && matches!(lock::try_exclusive(&folder), Ok(Some(_)))
            && scratch::clear_left_over(&folder).is_ok()
        {
            scratch::remove(&folder);
        }
    }
}

impl ContainerLayer {
    fn take(folder: PathBuf, driver: Driver, is_removed: bool) -> anyhow::Result<ContainerLayer> {
        let shown = folder.display();
        let _umask = UsualUmask::set();
        let is_new = !folder.exists();
        fs::create_dir_all(&folder).with_context(|| format!("make container layer {shown}"))?;
        let lock = lock::try_exclusive(&folder)?
            .with_context(|| format!("container layer {shown}: another container has it"))?;
        driver.require_own(&folder)?;
        Ok(ContainerLayer {
            folder,
            is_new,
            is_removed,
            _lock: lock,
        })
    }
}

/// A lock on an image layer that keeps containers from writing to it.
fn share(layer: &Path) -> anyhow::Result<Lock> {
    lock::try_shared(layer)?.with_context(|| {
        format!("layer {}: another container has it as its container layer", layer.display())
    })
}

/// An image layer.
fn existing(layer: &Path) -> anyhow::Result<PathBuf> {
    let found = layer.canonicalize().with_context(|| format!("layer {}", layer.display()))?;
    ensure!(found.is_dir(), "layer {}: it is not a folder", layer.display());
    Ok(found)
}

/// The path of a container layer, without links. The folder, and folders above it, need not be
/// there yet; nothing is made before it is known that the folder is none of the image's.
fn to_be(layer: &Path) -> anyhow::Result<PathBuf> {
    let shown = layer.display();
    let full = std::path::absolute(layer).with_context(|| format!("container layer {shown}"))?;
    for above in full.ancestors() {
        match above.canonicalize() {
            Ok(found) if found.is_dir() => {
                let missing = full.strip_prefix(above).context("it is above")?;
                ensure!(
                    missing.components().all(|part| matches!(part, Component::Normal(_))),
                    "container layer {shown}: it has .. below a folder that is not there"
                );
                // Without the slash at its end that joining nothing would leave.
                return Ok(found.components().chain(missing.components()).collect());
            }
            Ok(_) => bail!("container layer {shown}: {} is not a folder", above.display()),
            Err(_) if above.is_symlink() => {
                bail!("container layer {shown}: the link {} leads nowhere", above.display())
            }
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("container layer {shown}"));
            }
            Err(_) => {}
        }
    }
    bail!("container layer {shown}: nothing is above it")
}

/// A layer that is in the stack twice, or a container layer inside an image layer, would be read
/// and written at once.
fn refuse_overlaps(image: &[PathBuf], container: Option<&Path>) -> anyhow::Result<()> {
    for (index, layer) in image.iter().enumerate() {
        ensure!(!image[..index].contains(layer), "layer {}: you named it twice", layer.display());
        let overlaps = |folder: &&Path| folder.starts_with(layer) || layer.starts_with(folder);
        if let Some(container) = container.filter(overlaps) {
            let (container, layer) = (container.display(), layer.display());
            return Err(anyhow!("container layer {container}: it overlaps the layer {layer}"));
        }
    }
    Ok(())
}
// ANCHOR_END: layers
