//! Which files do the pages fetch?

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

/// Of the packages of npm: the emulator, and the terminal.
const FILES: [&str; 5] = [
    "v86/build/libv86.mjs",
    "v86/build/v86.wasm",
    "@xterm/xterm/lib/xterm.mjs",
    "@xterm/xterm/css/xterm.css",
    "@xterm/addon-fit/lib/addon-fit.mjs",
];

/// As much as a reader is to wait for: 15 MB.
const LIMIT: u64 = 15_000_000;

/// What is published beside the book.
#[derive(Debug)]
pub struct Site {
    pub folder: PathBuf,
    pub bytes: u64,
}

/// Puts the files into target/machine/site.
pub fn collect(
    state: &Path,
    sources: &BTreeSet<String>,
    own: &Path,
    place: &Path,
) -> anyhow::Result<Site> {
    let (folder, part) = (place.join("site"), place.join("site.part"));
    for old in [&folder, &part] {
        if old.exists() {
            fs::remove_dir_all(old)?;
        }
    }
    fs::create_dir(&part)?;
    let mut bytes = fs::copy(state, part.join("state.zst"))?;
    for file in FILES {
        let from = own.join("node_modules").join(file);
        let name = from.file_name().context("a file has a name")?;
        bytes += fs::copy(&from, part.join(name))
            .with_context(|| format!("copy {}", from.display()))?;
    }
    ensure!(bytes <= LIMIT, "the pages would fetch {bytes} bytes; more than {LIMIT} is too much");
    let list: Vec<&str> = sources.iter().map(String::as_str).collect();
    fs::write(part.join("sources.txt"), list.join("\n") + "\n")?;
    fs::rename(&part, &folder)?;
    Ok(Site { folder, bytes })
}
