//! How is a container with image layers run, and what does it leave in them?

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

use crate::{
    Bench, User,
    bench::{Ended, Run},
    told,
};

/// What a program says that writes where it may not.
pub const READ_ONLY: &str = "Read-only file system";

/// `run -i`, with the image that the stage has by itself.
pub fn container<S: AsRef<OsStr>>(bench: &Bench, words: impl IntoIterator<Item = S>) -> Run<'_> {
    let words = words.into_iter().map(|word| word.as_ref().to_owned());
    bench.run(&bench.binary, ["run", "-i"].map(OsString::from).into_iter().chain(words))
}

/// Likewise, with a script for `sh -c` as its command.
pub fn script<'a>(bench: &'a Bench, options: &[&str], script: &str) -> Run<'a> {
    container(bench, [options, &["--", "sh", "-c", script]].concat())
}

/// A run with these layers above the default image's base, of `sh -c SCRIPT`.
///
/// # Errors
///
/// There is no default image, and none can be made.
pub fn stacked<'a>(
    bench: &'a Bench,
    options: &[&str],
    layers: &[PathBuf],
    script: &str,
) -> anyhow::Result<Run<'a>> {
    let mut words: Vec<OsString> = options.iter().map(OsString::from).collect();
    words.extend(["--layer".into(), base(bench)?.into()]);
    words.extend(layers.iter().flat_map(|layer| ["--layer".into(), layer.clone().into()]));
    words.extend(["--", "sh", "-c", script].map(OsString::from));
    Ok(container(bench, words))
}

/// Makes a layer with one file.
///
/// # Errors
///
/// It cannot be written.
pub fn layer(bench: &Bench, name: &str, file: &str, text: &str) -> anyhow::Result<PathBuf> {
    let folder = bench.folder(name)?;
    fs::write(folder.join(file), text)?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// A layer with the judge's program `/inside`, and what it needs to run.
///
/// # Errors
///
/// It cannot be made.
pub fn with_inside(bench: &Bench) -> anyhow::Result<PathBuf> {
    let folder = bench.folder("with-inside")?;
    let program = bench.other("inside");
    let mut files = vec![(program.clone(), PathBuf::from("inside"))];
    for library in lab::libraries::libraries(&program)? {
        let place = library.strip_prefix("/").context("a library has a full path")?.to_owned();
        files.push((library, place));
    }
    for (file, place) in files {
        let place = folder.join(place);
        fs::create_dir_all(place.parent().context("a file is in a folder")?)?;
        fs::copy(&file, &place).with_context(|| format!("copy {}", file.display()))?;
    }
    Ok(folder)
}

/// The options with which a container has the default image's base, and above it `/inside`.
///
/// # Errors
///
/// As [`with_inside`].
pub fn layers_with_inside(bench: &Bench) -> anyhow::Result<Vec<String>> {
    let layers = [base(bench)?, with_inside(bench)?];
    let option = |layer: &PathBuf| ["--layer".to_owned(), layer.display().to_string()];
    Ok(layers.iter().flat_map(option).collect())
}

/// The base of the default image, for images that are made from it.
fn base(bench: &Bench) -> anyhow::Result<PathBuf> {
    if !image_of(bench).exists() {
        script(bench, &[], "true").finish()?.must_end_with(0)?;
    }
    Ok(image_of(bench).join("base"))
}

/// The folder of the default image.
pub fn image_of(bench: &Bench) -> PathBuf {
    cache_of(bench).join("image")
}

/// The stage's folder in the user's cache; the number at its end changes with the image.
fn cache_of(bench: &Bench) -> PathBuf {
    let cache = bench.folder.join(".cache");
    let mut entries = fs::read_dir(&cache).into_iter().flatten().flatten();
    let is_ours = |name: &OsStr| name.to_string_lossy().starts_with("clone-to-container-");
    let folder = entries.find(|entry| is_ours(&entry.file_name())).map(|entry| entry.path());
    folder.unwrap_or(cache)
}

/// What the cache folder holds, two levels deep.
pub fn cached(bench: &Bench) -> Vec<PathBuf> {
    let inside = |folder: PathBuf| {
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
    };
    let below = |folder: PathBuf| inside(folder.clone()).chain([folder]).collect::<Vec<_>>();
    let mut found: Vec<PathBuf> = inside(cache_of(bench)).flat_map(below).collect();
    found.sort();
    found
}

/// The list of changes on the log.
pub fn listed(ended: &Ended) -> Vec<String> {
    let is_change = |message: &String| {
        ["added /", "changed /", "deleted /"]
            .iter()
            .any(|word| message.starts_with(word))
    };
    ended.messages().into_iter().filter(is_change).collect()
}

/// A file's kind and mode, its owner, and its content.
type Content = (u32, u32, Vec<u8>);

/// Every file below a folder.
///
/// # Errors
///
/// One cannot be read.
pub fn contents(folder: &Path) -> anyhow::Result<BTreeMap<PathBuf, Content>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        let data = path.symlink_metadata()?;
        let content = match data {
            _ if data.is_file() => fs::read(&path)?,
            _ if data.is_symlink() => fs::read_link(&path)?.into_os_string().into_encoded_bytes(),
            _ => Vec::new(),
        };
        if data.is_dir() {
            found.extend(contents(&path)?);
        }
        found.insert(path, (data.mode(), data.uid(), content));
    }
    Ok(found)
}

/// The command tried the action, and the kernel refused it for this reason: no missing program
/// and no stage that did not start.
///
/// # Errors
///
/// It was not refused so.
pub fn must_be_refused(ended: &Ended, reason: &str, action: &str) -> anyhow::Result<()> {
    let tried = ended.status() != 0 && ended.errors.contains(reason);
    ensure!(tried, "`{action}` was not refused with {}: {}", told(reason), told(ended));
    Ok(())
}

/// Whether this kernel has aufs.
///
/// # Errors
///
/// /proc is not mounted.
pub fn kernel_has_aufs() -> anyhow::Result<bool> {
    let known = fs::read_to_string("/proc/filesystems").context("read /proc/filesystems")?;
    Ok(known.contains("\taufs\n"))
}

/// Whether the root is put together by aufs here.
///
/// # Errors
///
/// /proc is not mounted.
pub fn is_aufs(bench: &Bench) -> anyhow::Result<bool> {
    Ok(bench.user == User::Root && kernel_has_aufs()?)
}
