//! Which files do the pages fetch?

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use kernels::tools::{entries, run};

use crate::transcripts;

/// Of the packages of npm: the emulator, and the terminal. They are packed here, for not every
/// server does it.
const PACKED: [&str; 4] = [
    "v86/build/libv86.mjs",
    "v86/build/v86.wasm",
    "@xterm/xterm/lib/xterm.mjs",
    "@xterm/addon-fit/lib/addon-fit.mjs",
];
const STYLE: &str = "@xterm/xterm/css/xterm.css";

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
    let modules = own.join("node_modules");
    for file in PACKED {
        let name = Path::new(file).file_name().context("a file has a name")?;
        let to = File::create(part.join(format!("{}.gz", name.display())))?;
        run(Command::new("gzip").args(["-9", "-n", "-c"]).arg(modules.join(file)).stdout(to))?;
    }
    fs::copy(modules.join(STYLE), part.join("xterm.css"))?;
    for file in entries(&own.join("page"))? {
        fs::copy(&file, part.join(file.file_name().context("a file has a name")?))?;
    }
    fs::write(part.join("transcripts.json"), transcripts::list(own)?)?;
    let list: Vec<&str> = sources.iter().map(String::as_str).collect();
    fs::write(part.join("sources.txt"), list.join("\n") + "\n")?;
    fs::copy(state, part.join("state.zst"))?;
    let mut bytes = 0;
    for file in entries(&part)? {
        bytes += file.metadata()?.len();
    }
    ensure!(
        bytes <= LIMIT,
        "the pages would fetch {bytes} bytes; more than {LIMIT} is too much"
    );
    fs::rename(&part, &folder)?;
    Ok(Site { folder, bytes })
}
