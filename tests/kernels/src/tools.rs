//! How is another program run, so that its failure says what it said? How is a file found?

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};

/// Runs a program to its end.
///
/// # Errors
///
/// There is no such program, or it failed: with what it said on standard error.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().display().to_string();
    let child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
    let ended = child.and_then(|child| child.wait_with_output());
    let ended = ended.with_context(|| format!("run {name}"))?;
    if !ended.status.success() {
        bail!("{name}: {}: {}", ended.status, String::from_utf8_lossy(&ended.stderr).trim());
    }
    Ok(())
}

/// As [`run`]; returns what the program wrote to standard output.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().display().to_string();
    let ended = command.stdin(Stdio::null()).output().with_context(|| format!("run {name}"))?;
    if !ended.status.success() {
        bail!("{name}: {}: {}", ended.status, String::from_utf8_lossy(&ended.stderr).trim());
    }
    Ok(String::from_utf8(ended.stdout)?)
}

/// The first file below `folder` whose name is right.
pub fn find(folder: &Path, is_right: &dyn Fn(&str) -> bool) -> anyhow::Result<Option<PathBuf>> {
    for entry in entries(folder)? {
        if entry.is_dir() && !entry.is_symlink() {
            if let Some(found) = find(&entry, is_right)? {
                return Ok(Some(found));
            }
        } else if entry.file_name().is_some_and(|name| is_right(&name.to_string_lossy())) {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

/// What is in a folder.
pub fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}
