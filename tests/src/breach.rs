//! What does an attacker inside get to?

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use anyhow::ensure;

use crate::{
    Bench, Ended, User,
    bench::Run,
    layered::{container, contents, image_of, script, with_inside},
    told,
};

/// What changes the machine, in /proc.
const KNOBS: [&str; 7] = [
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/vm/swappiness",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sysrq-trigger",
    "/proc/irq/default_smp_affinity",
    "/proc/bus/pci/devices",
];

/// What shows more of the machine than a container needs.
const SECRETS: [&str; 4] = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"];

/// The options for a map as the stage has it by itself, and for one that gives root inside to root
/// of the machine: then no other wall is in the way.
pub fn maps(user: User) -> &'static [&'static [&'static str]] {
    match user {
        User::Root => &[&[], &["--uid-map", "0:0:65536", "--gid-map", "0:0:65536"]],
        User::Ordinary => &[&[]],
    }
}

/// A bench for another stage, with the same user.
///
/// # Errors
///
/// Its folder cannot be made.
pub fn below(bench: &Bench, stage: u8, binary: &str) -> anyhow::Result<Bench> {
    let mut below = bench.again()?;
    below.stage = stage;
    below.binary = bench.other(binary);
    Ok(below)
}

/// An image of one folder, with all that the default image has, and the judge's `/inside`.
///
/// # Errors
///
/// It cannot be made.
pub fn image(bench: &Bench, name: &str) -> anyhow::Result<PathBuf> {
    let image = bench.folder.join(name);
    bench.run(bench.other("rootfs"), [&image]).finish()?.must_end_with(0)?;
    Ok(image)
}

/// A run with the judge's `/inside` in a layer above the default image's base.
///
/// # Errors
///
/// There is no default image, and none can be made.
pub fn with_attacker<'a>(
    bench: &'a Bench,
    options: &[&str],
    attack: &str,
) -> anyhow::Result<Run<'a>> {
    if !image_of(bench).exists() {
        script(bench, &[], "true").finish()?.must_end_with(0)?;
    }
    let mut words: Vec<OsString> = options.iter().map(OsString::from).collect();
    for layer in [image_of(bench).join("base"), with_inside(bench)?] {
        words.extend(["--layer".into(), layer.into()]);
    }
    words.extend(["--", "sh", "-c", attack].map(OsString::from));
    Ok(container(bench, words))
}

/// The words of an attack on all that is mounted: from the container's own mount namespace, and
/// from others in which root inside has more rights. The first takes most away, so it comes last.
pub fn attack() -> String {
    let here = |paths: &[&'static str]| -> Vec<&'static str> {
        paths.iter().copied().filter(|path| Path::new(path).exists()).collect()
    };
    let goals = here(&KNOBS).iter().map(|path| format!(" --write {path}")).collect::<String>()
        + &here(&SECRETS).iter().map(|path| format!(" --read {path}")).collect::<String>();
    ["--unshare mount", "--unshare mount --unshare user", "--unshare mount --unshare pid", ""]
        .map(|namespaces| format!("/inside breach {namespaces} {goals} || exit 1\n"))
        .concat()
}

/// What the attacker says that it got to, or could take away; it must have tried.
///
/// # Errors
///
/// It has not tried.
pub fn gains(ended: Ended) -> anyhow::Result<Vec<String>> {
    let text = ended.must_end_with(0)?.text();
    ensure!(text.matches("done\n").count() == 4, "the attacker wrote {}", told(&text));
    ensure!(text.contains("core_pattern"), "the attacker wrote {}", told(&text));
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with("reached") || line.starts_with("gain"))
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines.dedup();
    Ok(lines)
}

/// All that a folder of the host's could have lost, its own mode too, a line for each file.
///
/// # Errors
///
/// One cannot be read.
pub fn state(folder: &Path) -> anyhow::Result<Vec<String>> {
    let own = fs::symlink_metadata(folder)?;
    let mut lines = vec![format!("{} {:o} {}", folder.display(), own.mode(), own.uid())];
    for (path, (mode, uid, content)) in contents(folder)? {
        let content = String::from_utf8_lossy(&content);
        lines.push(format!("{} {mode:o} {uid} {}", path.display(), content.trim_end()));
    }
    Ok(lines)
}
