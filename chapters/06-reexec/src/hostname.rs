// ANCHOR: hostname
//! What is a container called that nobody named?

use std::{ffi::OsString, fs::File, io::Read};

use anyhow::Context;

/// A hostname that nobody has: `container-` and eight random hexadecimal digits.
///
/// # Errors
///
/// /dev/urandom cannot be read.
pub fn random_hostname() -> anyhow::Result<OsString> {
    // ANCHOR: exercise-hostname
    let mut bytes = [0; 4];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("read /dev/urandom")?;
    Ok(format!("container-{:08x}", u32::from_ne_bytes(bytes)).into())
    // ANCHOR_END: exercise-hostname
}
// ANCHOR_END: hostname
