//! Where does an image come from, if you name none?
//!
//! It is prepared once in the user's cache folder: a small root file system as its base,
//! and above it four layers with one file each.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use lab::{info, lock, rootfs::UsualUmask, tree};
use nix::unistd::{User, geteuid};

/// The folder under the user's cache folder. The number changes with the image.
const NAME: &str = "clone-to-container-2";
const LAYERS: [&str; 5] = ["base", "image-layer1", "image-layer2", "image-layer3", "image-layer4"];

/// This program's folder in the user's cache folder: `$XDG_CACHE_HOME`, else `~/.cache`.
///
/// # Errors
///
/// It cannot be made.
pub fn cache_folder() -> anyhow::Result<PathBuf> {
    let set = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || User::from_uid(geteuid()).ok().flatten().map(|user| user.dir);
    let cache =
        set("XDG_CACHE_HOME").or_else(|| set("HOME").or_else(home).map(|home| home.join(".cache")));
    let folder = cache
        .context("no cache folder: neither XDG_CACHE_HOME nor HOME is set")?
        .join(NAME);
    fs::create_dir_all(&folder)
        .with_context(|| format!("make {}: set XDG_CACHE_HOME to another", folder.display()))?;
    Ok(folder)
}

/// The layers of the default image, lowest first. One process at a time makes them if they are not
/// there; nobody sees a half-made image.
///
/// # Errors
///
/// The cache folder cannot be written, or the base cannot be built (see [`lab::rootfs`]).
pub fn default_image(cache: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let image = cache.join("image");
    let _turn = lock::wait_for(cache)?;
    if !image.exists() {
        let half = cache.join("half-made");
        if half.exists() {
            tree::remove(&half, false)?;
        }
        make(&half)?;
        fs::rename(&half, &image).with_context(|| format!("rename {} to image", half.display()))?;
        info!("made the default image in {}", image.display());
    }
    Ok(LAYERS.iter().map(|layer| image.join(layer)).collect())
}

fn make(image: &Path) -> anyhow::Result<()> {
    let _umask = UsualUmask::set();
    lab::rootfs::build(&image.join(LAYERS[0])).context("build the base of the default image")?;
    for (number, layer) in LAYERS.iter().enumerate().skip(1) {
        let folder = image.join(layer);
        fs::create_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
        let file = folder.join(format!("{layer}.txt"));
        fs::write(&file, format!("{number}\n"))
            .with_context(|| format!("write {}", file.display()))?;
    }
    Ok(())
}
