//! In which groups is this process, and which limits do they have?
//!
//! `cargo run -p ch07-cgroup-memory --example show`

use std::{
    fmt::Write as _,
    fs,
    io::{Write as _, stdout},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use ch07_cgroup_memory::hierarchy::{Hierarchy, Version, hierarchies_of};
use lab::Exit;

fn main() -> ExitCode {
    lab::run(|| show().map(|()| Exit::Code(0)))
}

/// The knobs that `show` reads, if a group has them.
const KNOBS: [&str; 6] = [
    "memory.limit_in_bytes",
    "memory.max",
    "cpu.shares",
    "cpu.weight",
    "cpuset.cpus",
    "cpuset.cpus.effective",
];

/// Writes to standard output, for each hierarchy: its version, mount point and controllers, this
/// process's group, and the limits there.
fn show() -> anyhow::Result<()> {
    let all = hierarchies_of("self")?;
    let mut text = String::new();
    let has = |version| all.iter().any(|hierarchy| hierarchy.version == version);
    let layout = match (has(Version::V1), has(Version::V2)) {
        (true, true) => "hybrid: v1 and v2",
        (true, false) => "v1",
        (false, true) => "v2",
        (false, false) => "no hierarchy is mounted",
    };
    writeln!(text, "cgroups: {layout}")?;
    for hierarchy in &all {
        describe(hierarchy, &mut text)?;
    }
    stdout().write_all(text.as_bytes()).context("write to standard output")
}

fn describe(hierarchy: &Hierarchy, text: &mut String) -> anyhow::Result<()> {
    let Hierarchy {
        version,
        mount_point,
        controllers,
        group,
    } = hierarchy;
    let attached = if controllers.is_empty() {
        "no controller".into()
    } else {
        controllers.join(",")
    };
    let path = Path::new("/").join(group.strip_prefix(mount_point)?);
    writeln!(
        text,
        "{version}  {}  {attached}  group {}",
        mount_point.display(),
        path.display()
    )?;
    for knob in KNOBS {
        if let Ok(value) = fs::read_to_string(group.join(knob)) {
            writeln!(text, "    {knob} = {}", value.trim())?;
        }
    }
    Ok(())
}
