//! What is a hierarchy without a controller? On version 1, a way to keep track of processes.
//!
//! As root: `cargo run -p ch07-cgroup-memory --example named_hierarchy`

use std::{
    fs,
    io::{Write, stdout},
    path::Path,
    process::ExitCode,
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use ch01_uts::spawn;
use ch04_mount::{CLONE_NEWNS, make_private};
use lab::{Exit, info};
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sys::signal::SigSet,
    unistd::{Pid, geteuid},
};

fn main() -> ExitCode {
    lab::run(named_hierarchy)
}

/// The name of the hierarchy that `named_hierarchy` makes.
const NAME: &str = "cgroup-test";

/// Makes a v1 hierarchy with a name and without a subsystem, with two groups, moves a
/// process into one of them, shows where that process then sits, and removes it all.
///
/// # Errors
///
/// Without root, or on a kernel without v1.
fn named_hierarchy() -> anyhow::Result<Exit> {
    ensure!(geteuid().is_root(), "only root can mount a v1 hierarchy");
    let kinds = fs::read_to_string("/proc/filesystems").context("read /proc/filesystems")?;
    ensure!(
        kinds.lines().any(|line| line.ends_with("\tcgroup")),
        "this kernel has no cgroup v1: /proc/filesystems"
    );
    // It ends by itself; a signal must not keep it from clearing up.
    SigSet::all().thread_block().context("block signals")?;
    let child = spawn(CLONE_NEWNS, || {
        make_private()?;
        // Over /tmp, in a new mount namespace: it is always there, and no other process sees this.
        in_named_hierarchy(Path::new("/tmp"))?;
        Ok(Exit::Code(0))
    })?;
    child.wait()
}

fn in_named_hierarchy(place: &Path) -> anyhow::Result<()> {
    mount_hierarchy(place)?;
    let groups = [place.join("cgroup-1"), place.join("cgroup-2")];
    for group in &groups {
        // A run that was killed may have left the folder.
        fs::create_dir_all(group).with_context(|| format!("make {}", group.display()))?;
        info!("made the group /{}", group.strip_prefix(place)?.display());
    }
    let own = Pid::this().to_string();
    fs::write(groups[0].join("cgroup.procs"), &own).context("move this process into cgroup-1")?;
    let memberships = fs::read_to_string("/proc/self/cgroup").context("read /proc/self/cgroup")?;
    stdout().write_all(memberships.as_bytes()).context("write to standard output")?;

    fs::write(place.join("cgroup.procs"), &own).context("move this process back")?;
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
/// by then. rmdir(2) returns earlier, and the kernel does not report when. So this looks whether
/// the hierarchy has ended, and if it has not, mounts and unmounts it again.
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
    bail!("the hierarchy {NAME} is unmounted and still there: another process has mounted it")
}
