// ANCHOR: hostname
//! What is the hostname of a container without `--hostname`?

use std::{ffi::OsString, fs::File, io::Read};

use anyhow::Context;

/// What the random name of a container, a group or a folder begins with; eight digits follow.
pub const NAME_PREFIX: &str = "container-";

/// `container-` and eight random hexadecimal digits.
///
/// # Errors
///
/// /dev/urandom cannot be read.
pub fn random_name() -> anyhow::Result<String> {
    // ANCHOR: exercise-hostname
    let mut bytes = [0; 4];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("read /dev/urandom")?;
    Ok(format!("{NAME_PREFIX}{:08x}", u32::from_ne_bytes(bytes)))
    // ANCHOR_END: exercise-hostname
}

/// The hostname that was asked for, or a random one.
///
/// # Errors
///
/// As [`random_name`].
pub fn hostname_or_random(asked: Option<OsString>) -> anyhow::Result<OsString> {
    asked.map_or_else(|| random_name().map(OsString::from), Ok)
}
// ANCHOR_END: hostname
