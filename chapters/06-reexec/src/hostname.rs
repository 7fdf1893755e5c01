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

/// Whether [`random_name`] may have made this name.
pub fn is_container(name: &str) -> bool {
    let digits = name.strip_prefix(NAME_PREFIX).unwrap_or_default();
    digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_containers_name_is_known() {
        assert!(is_container(&random_name().unwrap()));
        for other in ["container-runtime", "container-4242", "container-", "system.slice"] {
            assert!(!is_container(other), "{other}");
        }
    }
}
