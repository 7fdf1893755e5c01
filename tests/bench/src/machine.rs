//! On which machine was this measured, and what else did it do meanwhile?

use std::{fs, path::Path, thread};

use anyhow::Context;
use judge::cgroups;
use nix::sys::utsname::uname;

use crate::programs::{PEERS, version, which};

/// The machine, in a sentence: kernel, cores, cgroups, and what the peers' versions are.
///
/// # Errors
///
/// /proc is not mounted.
pub fn description() -> anyhow::Result<String> {
    let name = uname().context("uname")?;
    let release = name.release().to_string_lossy();
    // `6.12.48-1-amd64`: what comes after the second dot is the distribution's.
    let release: Vec<&str> = release.split('.').take(2).collect();
    let cores = thread::available_parallelism().context("count the cores")?;
    let mut text = format!(
        "Linux {} on {}, {cores} cores, cgroup {}",
        release.join("."),
        name.machine().to_string_lossy(),
        version_of_cgroups()?,
    );
    for (peer, _) in PEERS {
        if let Some(program) = which(peer) {
            text += &format!(", {peer} {}", version(&program)?);
        }
    }
    Ok(text)
}

fn version_of_cgroups() -> anyhow::Result<&'static str> {
    let mounted = cgroups::mounted()?;
    let has = |is_v2| mounted.iter().any(|hierarchy| hierarchy.is_v2 == is_v2);
    Ok(match (has(false), has(true)) {
        (true, true) => "v1 and v2 (hybrid)",
        (true, false) => "v1",
        (false, true) => "v2",
        (false, false) => "not mounted",
    })
}

/// How many processes wanted to run in the last minute, on average (proc_loadavg(5)).
///
/// # Errors
///
/// /proc is not mounted.
pub fn load() -> anyhow::Result<String> {
    let file = Path::new("/proc/loadavg");
    let text = fs::read_to_string(file).context("read /proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}
