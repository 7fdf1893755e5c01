//! In which groups does this process sit, and which limits do they have?

use std::{
    fmt::Write as _,
    fs,
    io::{Write as _, stdout},
    path::Path,
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use ch01_uts::spawn;
use ch04_mount::make_private;
use lab::info;
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::CloneFlags,
    unistd::{Pid, geteuid},
};

use crate::hierarchy::{Hierarchy, Version, hierarchies};

/// The knobs that [`show`] reads, if a group has them.
const KNOBS: [&str; 6] = [
    "memory.limit_in_bytes",
    "memory.max",
    "cpu.shares",
    "cpu.weight",
    "cpuset.cpus",
    "cpuset.cpus.effective",
];

/// The tree that this process sits in: for each hierarchy its version, mount point,
/// subsystems, the process's group, and the limits there. Goes to standard output.
///
/// # Errors
///
/// /proc is not mounted.
pub fn show() -> anyhow::Result<()> {
    let all = hierarchies()?;
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
        subsystems,
        own_group,
    } = hierarchy;
    let attached = if subsystems.is_empty() {
        "no subsystem".into()
    } else {
        subsystems.join(",")
    };
    let path = Path::new("/").join(own_group.strip_prefix(mount_point)?);
    writeln!(
        text,
        "{version}  {}  {attached}  group {}",
        mount_point.display(),
        path.display()
    )?;
    for knob in KNOBS {
        if let Ok(value) = fs::read_to_string(own_group.join(knob)) {
            writeln!(text, "    {knob} = {}", value.trim())?;
        }
    }
    Ok(())
}

/// The name of the hierarchy that [`named_hierarchy`] makes.
const NAME: &str = "cgroup-test";

/// Makes a v1 hierarchy with a name and without a subsystem, with two groups, moves a
/// process into one of them, shows where that process then sits, and removes it all.
///
/// # Errors
///
/// Without root, or on a kernel without v1.
pub fn named_hierarchy() -> anyhow::Result<()> {
    ensure!(geteuid().is_root(), "only root can mount a v1 hierarchy");
    let kinds = fs::read_to_string("/proc/filesystems").context("read /proc/filesystems")?;
    ensure!(
        kinds.lines().any(|line| line.ends_with("\tcgroup")),
        "this kernel has no cgroup v1: /proc/filesystems"
    );
    let child = spawn(CloneFlags::CLONE_NEWNS, || {
        make_private()?;
        // Over /tmp, in a mount namespace of its own: there is a folder, and nobody sees it.
        in_named_hierarchy(Path::new("/tmp"))?;
        std::process::exit(0)
    })?;
    let exit = child.wait()?;
    ensure!(exit.status() == 0, "it ended with {exit}");
    Ok(())
}

fn in_named_hierarchy(place: &Path) -> anyhow::Result<()> {
    mount_hierarchy(place)?;
    let groups = [place.join("cgroup-1"), place.join("cgroup-2")];
    for group in &groups {
        fs::create_dir_all(group).with_context(|| format!("make {}", group.display()))?; // one that was killed left them
        info!("made the group /{}", group.strip_prefix(place)?.display());
    }
    let own = Pid::this().to_string();
    fs::write(groups[0].join("cgroup.procs"), &own).context("move oneself into cgroup-1")?;
    let memberships = fs::read_to_string("/proc/self/cgroup").context("read /proc/self/cgroup")?;
    stdout().write_all(memberships.as_bytes()).context("write to standard output")?;

    fs::write(place.join("cgroup.procs"), &own).context("move oneself back")?;
    for group in &groups {
        fs::remove_dir(group).with_context(|| format!("remove {}", group.display()))?;
    }
    unmount_hierarchy(place)?;
    info!("removed the groups and the hierarchy");
    Ok(())
}

fn mount_hierarchy(place: &Path) -> anyhow::Result<()> {
    let options = format!("none,name={NAME}");
    mount(Some(NAME), place, Some("cgroup"), MsFlags::empty(), Some(options.as_str()))
        .with_context(|| format!("mount -t cgroup -o {options}"))
}

/// Unmounts the hierarchy, which ends with its last mount, but only if its groups are gone
/// by then. rmdir(2) returns before they are, and the kernel tells nobody when: so this
/// looks whether the hierarchy has ended, and if it stays, mounts and unmounts it again.
fn unmount_hierarchy(place: &Path) -> anyhow::Result<()> {
    for _ in 0..20 {
        umount2(place, MntFlags::empty()).context("unmount the hierarchy, and so end it")?;
        for _ in 0..50 {
            let memberships =
                fs::read_to_string("/proc/self/cgroup").context("read /proc/self/cgroup")?;
            if !memberships.contains(&format!(":name={NAME}:")) {
                return Ok(());
            }
            sleep(Duration::from_millis(2));
        }
        mount_hierarchy(place)?;
    }
    umount2(place, MntFlags::empty()).context("unmount the hierarchy")?;
    bail!("the hierarchy {NAME} is unmounted, and does not end: who else has mounted it?")
}
