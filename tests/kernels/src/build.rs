//! How does what runs in a virtual machine come about? Static programs, and an archive of a folder.

use std::{
    collections::HashMap,
    env,
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use tinyjson::JsonValue;

use crate::tools::{output, run};

/// Static, and at a fixed address: a program that has to relocate itself at each start takes
/// four times as long to start on an emulated processor.
const RUSTFLAGS: &str = "-C target-feature=+crt-static -C relocation-model=static";

/// The programs that `cargo WORDS…` builds, static. Their target is named, so that build scripts
/// and macros stay dynamic.
///
/// # Errors
///
/// Something does not compile, or the target is not installed.
pub fn built(profile: &str, target: &str, words: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(words).args(["--profile", profile, "--target", target]);
    cargo.arg("--message-format=json");
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).env("RUSTFLAGS", RUSTFLAGS);
    let messages = output(&mut cargo)?;
    let executable = |line: &str| {
        let message: JsonValue = line.parse().ok()?;
        let fields: &HashMap<String, JsonValue> = message.get()?;
        Some(PathBuf::from(fields.get("executable")?.get::<String>()?))
    };
    Ok(messages.lines().filter_map(executable).collect())
}

/// Writes a script that can be run.
///
/// # Errors
///
/// The file system's.
pub fn script(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text)?;
    Ok(fs::set_permissions(path, Permissions::from_mode(0o755))?)
}

/// Everything in `folder` as one archive that a kernel unpacks (cpio), all of it root's.
///
/// # Errors
///
/// There is no cpio, or it fails.
pub fn archive(folder: &Path, file: &Path) -> anyhow::Result<PathBuf> {
    let script = "find . | cpio --quiet --create --format=newc --owner=0:0";
    run(Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .stdout(File::create(file)?))?;
    Ok(file.to_owned())
}
