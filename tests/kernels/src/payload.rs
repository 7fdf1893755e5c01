//! What is in a guest? Static binaries of the stages and the tests, the programs of the image
//! that the stages build there, and the few others that the tests and its first process call.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context;
use kernels::{
    build::{archive, built, script},
    modules,
    tools::{entries, run},
};
use lab::{exec::find, libraries::libraries};

use crate::{
    guests::{Cgroups, Files, Guest},
    qemu::Machine,
};

/// The target of the static binaries. Named, so that build scripts and macros stay dynamic.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// How many times slower than usual a guest's processor may be.
const PATIENCE: u32 = 4;

/// What the stages and the tests call beside the programs of an image. One that is missing here
/// is missing in the guest, and a test that needs it says so.
const PROGRAMS: [&str; 11] = [
    "cksum",
    "ip",
    "ipcmk",
    "ipcrm",
    "ipcs",
    "newgidmap",
    "newuidmap",
    "nsenter",
    "setsid",
    "stress",
    "stty",
];

/// What init.sh and guest.sh call that no other program is there for.
const BUSYBOX: &str = "busybox";

/// The users of a guest: root, and the ordinary one of the tests, with the ids that the judge gives
/// them (tests/src/login.rs).
const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nuser:x:23001:23002:user:/tmp:/bin/sh\n\
                      nobody:x:65534:65534:nobody:/:/bin/sh\n";
const GROUP: &str = "root:x:0:\nuser:x:23002:\nfurther:x:23003:user\nnogroup:x:65534:\n";
const SUBIDS: &str = "user:100000:65536\n";

/// Builds the root file system that all guests share, as a cpio archive; the tests are in it, or
/// not.
pub fn build(folder: &Path, has_tests: bool) -> anyhow::Result<PathBuf> {
    let root = folder.join("root");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    copy_programs(&root)?;
    for (name, text) in
        [("passwd", PASSWD), ("group", GROUP), ("subuid", SUBIDS), ("subgid", SUBIDS)]
    {
        fs::write(root.join("etc").join(name), text)?;
    }
    let busybox = on_this_machine(BUSYBOX).context("no busybox here")?; // main.rs has looked
    copy_with_libraries(&busybox, &root)?;
    fs::create_dir(root.join("judge"))?;
    for binary in binaries(has_tests)? {
        let name = binary
            .file_name()
            .context("a binary has a name")?
            .to_string_lossy()
            .into_owned();
        // The test's file has a hash at its end.
        let name = if name.starts_with("acceptance-") {
            "acceptance"
        } else {
            &name
        };
        fs::copy(&binary, root.join("judge").join(name))
            .with_context(|| format!("copy {}", binary.display()))?;
    }
    script(&root.join("init"), include_str!("init.sh"))?;
    script(&root.join("judge/guest.sh"), include_str!("guest.sh"))?;
    script(&root.join("judge/tests.sh"), include_str!("tests.sh"))?;
    archive(&root, &folder.join("root.cpio"))
}

/// The guest, ready to be booted: adds to the common archive what is its own, these settings and
/// what is in `folder/root` already.
pub fn machine(
    guest: &Guest,
    settings: &str,
    common: &Path,
    files: &modules::Files,
    folder: &Path,
) -> anyhow::Result<Machine> {
    let own = folder.join("root");
    let judge = own.join("judge");
    fs::create_dir_all(judge.join("modules"))?;
    fs::write(judge.join("settings"), settings)?;
    fs::write(judge.join("expected-skips.txt"), guest.skips.unwrap_or_default())?;
    for module in entries(&files.modules)? {
        let name = module.file_name().context("a module has a name")?;
        let is_overlay = name.to_string_lossy().ends_with("-overlay.ko");
        if guest.overlay || !is_overlay {
            fs::copy(&module, judge.join("modules").join(name))?;
        }
    }
    let own = archive(&own, &folder.join("own.cpio"))?;
    // The kernel takes one archive after another, the later on top of the earlier.
    let whole = folder.join("initramfs");
    let mut bytes = fs::read(common)?;
    bytes.extend(fs::read(own)?);
    fs::write(&whole, bytes)?;
    Ok(Machine {
        kernel: files.kernel.clone(),
        initramfs: whole,
        command_line: guest.command_line,
        disk: disk(folder)?,
    })
}

/// An empty disk with ext4, which takes no room until something is written.
fn disk(folder: &Path) -> anyhow::Result<PathBuf> {
    let disk = folder.join("disk");
    if disk.exists() {
        fs::remove_file(&disk)?;
    }
    let mke2fs = on_this_machine("mke2fs").context("no mke2fs here")?; // main.rs has looked
    run(Command::new(mke2fs)
        .args(["-q", "-t", "ext4"])
        .arg(&disk)
        .arg("1G")
        .stdout(Stdio::null()))?;
    Ok(disk)
}

/// What guest.sh reads of each guest.
pub fn settings(guest: &Guest) -> String {
    let cgroups = match guest.cgroups {
        Cgroups::V1 => "v1",
        Cgroups::V2 => "v2",
    };
    let files = match guest.files {
        Files::Ext4 => "ext4",
        Files::Tmpfs => "tmpfs",
    };
    format!("CGROUPS={cgroups}\nFILES={files}\n")
}

/// And where the tests are to run.
pub fn settings_of_tests(guest: &Guest, only: &str) -> String {
    let only = only.replace('\'', "");
    let without = if only.is_empty() {
        guest.without.join("|")
    } else {
        String::new()
    };
    let mut text = settings(guest);
    text += &format!("THEN=tests\nONLY='{only}'\nWITHOUT='{without}'\n");
    text += &format!("export JUDGE_PATIENCE={PATIENCE}\n");
    if guest.skips.is_some() {
        text += "export CI=true JUDGE_EXPECTED_SKIPS=/judge/expected-skips.txt\n";
    }
    text
}

/// The files of the workspace's binaries and of the acceptance tests.
fn binaries(has_tests: bool) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let targets = [
        &[
            "build",
            "--workspace",
            "--exclude=kernels",
            "--exclude=machine",
            "--exclude=bench",
            "--exclude=faults",
            "--bins",
            "--examples",
        ][..],
        &["test", "--package=judge", "--test=acceptance", "--no-run"],
    ];
    for words in &targets[..1 + usize::from(has_tests)] {
        found.extend(built("guest", TARGET, words)?);
    }
    Ok(found)
}

/// The programs of an image, as the stages find them in the guest, and those beside them.
fn copy_programs(root: &Path) -> anyhow::Result<()> {
    lab::rootfs::build(root)?;
    for program in PROGRAMS.iter().filter_map(|program| on_this_machine(program)) {
        copy_with_libraries(&program, root)?;
    }
    Ok(())
}

/// Where a program is, an administrator's too, which an ordinary user's PATH lacks.
pub fn on_this_machine(program: &str) -> Option<PathBuf> {
    find(program.as_ref(), Some("/usr/bin:/bin:/usr/sbin:/sbin".as_ref()))
}

/// Copies a program into `root`'s bin, and its loader and libraries to the same paths as here.
fn copy_with_libraries(program: &Path, root: &Path) -> anyhow::Result<()> {
    let name = program.file_name().context("a program has a name")?;
    let mut files = vec![(program.to_owned(), Path::new("bin").join(name))];
    for library in libraries(program)? {
        files.push((library.clone(), library.strip_prefix("/")?.to_owned()));
    }
    for (file, to) in files {
        let to = root.join(to);
        fs::create_dir_all(to.parent().context("a file is in a folder")?)?;
        fs::copy(&file, &to).with_context(|| format!("copy {}", file.display()))?;
        // Not the bit by which newuidmap is root's: the guest sets it again.
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every program finds its loader and its libraries below the same root, and a stage in the
    /// guest finds all that an image needs.
    #[test]
    fn the_programs_of_a_guest_are_whole() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        copy_programs(root).expect("this machine has the programs");
        let image = lab::programs::PROGRAMS.iter().flat_map(|(_, names)| names.iter().copied());
        let further = PROGRAMS.into_iter().filter(|program| on_this_machine(program).is_some());
        for name in image.chain(further) {
            let file = root.join("bin").join(name);
            assert!(file.exists(), "no {name}");
            for library in libraries(&file).expect("it can be read") {
                let there = root.join(library.strip_prefix("/").expect("it is absolute"));
                assert!(there.exists(), "{name} needs {}", library.display());
            }
        }
    }

    const SCRIPTS: [&str; 4] = [
        include_str!("init.sh"),
        include_str!("guest.sh"),
        include_str!("tests.sh"),
        include_str!("shell.sh"),
    ];

    /// What a guest's scripts call is there: words of an image, of busybox, or the shell's own.
    #[test]
    fn the_scripts_of_a_guest_call_what_is_there() {
        let image: Vec<&str> = lab::programs::PROGRAMS
            .iter()
            .flat_map(|(_, names)| names.iter().copied())
            .collect();
        for absent in ["insmod", "ip", "poweroff", "su", "switch_root"] {
            assert!(!image.contains(&absent));
            for script in SCRIPTS {
                for line in script.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
                    let words: Vec<&str> = line.split_whitespace().collect();
                    let place = words.iter().position(|word| *word == absent);
                    let by_busybox = place.is_none_or(|at| at > 0 && words[at - 1] == BUSYBOX);
                    assert!(by_busybox, "{line}");
                }
            }
        }
    }
}
