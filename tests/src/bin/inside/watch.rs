//! An attacker who is inside already, and lies in wait for other processes: where do the links
//! below /proc/PID lead that it may follow?

use std::{
    collections::BTreeSet,
    fs::{self, Metadata},
    io::stdin,
    os::{fd::AsFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
    process,
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Looks again and again until a line comes, and says what leads out of the root.
pub fn watch() -> anyhow::Result<()> {
    println!("up");
    let root = fs::metadata("/")?;
    let (mut looks, mut found) = (0, BTreeSet::new());
    let input = stdin();
    while poll(&mut [PollFd::new(input.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO)? == 0 {
        for entry in fs::read_dir("/proc")?.flatten() {
            let pid = entry.file_name().to_string_lossy().into_owned();
            if pid.parse().is_ok_and(|pid: u32| pid != process::id()) {
                looks += look_into(&entry.path(), &root, &mut found);
            }
        }
    }
    found.iter().for_each(|line| println!("{line}"));
    println!("looked at {looks} links");
    Ok(())
}

/// How many links of this process it could follow.
fn look_into(process: &Path, root: &Metadata, found: &mut BTreeSet<String>) -> u32 {
    let mut links: Vec<PathBuf> = ["root", "cwd", "exe"].map(|name| process.join(name)).into();
    let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    links.extend(open.map(|entry| entry.path()));
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    let mut looks = 0;
    for link in links {
        let (Ok(target), Ok(data)) = (fs::read_link(&link), fs::metadata(&link)) else {
            continue; // refused, or it has ended
        };
        looks += 1;
        if !is_of_here(&target, &data, root) {
            let which = link.file_name().unwrap_or_default().display();
            let (name, target) = (name.trim_end(), target.display());
            found.insert(format!("{which} of {name} leads to {target}"));
        }
    }
    looks
}

/// Whether it is a file that its path leads to in here as well, or one without a path that gives
/// nothing.
fn is_of_here(target: &Path, data: &Metadata, root: &Metadata) -> bool {
    let text = target.to_string_lossy();
    let harmless = ["pipe:", "socket:", "anon_inode:", "/memfd:"];
    let is = |other: &Metadata| (other.dev(), other.ino()) == (data.dev(), data.ino());
    harmless.iter().any(|what| text.starts_with(what))
        || text == "/dev/null" && data.rdev() == 0x103
        || is(root)
        || fs::metadata(target).is_ok_and(|other| is(&other))
}
