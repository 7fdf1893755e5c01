//! What is on the machine's disk?

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use kernels::{
    build::{archive, built, script},
    modules::decompress,
    tools::{entries, find, run},
};

use crate::{
    folder,
    packages::{Debian, Program, programs},
};

/// The target of the stages: static, and its C library may be given away without its source.
const TARGET: &str = "i686-unknown-linux-musl";

/// What the kernel loads, in this order: the disk in memory, its file system, overlay.
const MODULES: [&str; 8] =
    ["brd", "crc16", "crc32c_generic", "libcrc32c", "mbcache", "jbd2", "ext4", "overlay"];

/// A reader's clone, as the book's transcripts have it.
const CLONE: &str = "home/you/tower";

/// The users: root, whom everybody may become, and the book's ordinary user.
const FILES: [(&str, &str); 8] = [
    (
        "etc/passwd",
        "root::0:0:root:/root:/bin/bash\nyou::1000:1000:you:/home/you:/bin/bash\n\
         nobody:x:65534:65534:nobody:/:/bin/sh\n",
    ),
    (
        "etc/group",
        "root:x:0:\ntty:x:5:\nyou:x:1000:\nusers:x:100:you\nnogroup:x:65534:\n",
    ),
    ("etc/subuid", "you:100000:65536\n"),
    ("etc/subgid", "you:100000:65536\n"),
    ("etc/hosts", "127.0.0.1 localhost\n127.0.1.1 host\n"),
    ("etc/inittab", include_str!("../guest/inittab")),
    ("etc/bash.bashrc", include_str!("../guest/bashrc")),
    ("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux, in a page\"\n"),
];

const SCRIPTS: [(&str, &str); 6] = [
    ("usr/local/lib/machine/start", include_str!("../guest/start")),
    ("usr/local/lib/machine/as", include_str!("../guest/as")),
    ("usr/local/lib/machine/commands", include_str!("../guest/commands")),
    ("usr/local/lib/machine/page", include_str!("../guest/page")),
    ("usr/local/lib/machine/shell", include_str!("../guest/shell")),
    ("usr/local/bin/cargo", include_str!("../../../tests/transcripts/cargo.sh")),
];

/// What the emulator boots.
#[derive(Debug)]
pub struct Boot {
    /// The folder of the computer's firmware.
    pub bios: PathBuf,
    pub kernel: PathBuf,
    pub initramfs: PathBuf,
}

/// The stages and the chapters' further programs, and one of the machine's own.
pub fn stages(place: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut words = vec!["build".to_owned(), "--bins".into(), "--examples".into()];
    let chapters = folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../chapters"))?;
    for chapter in entries(&chapters)? {
        let manifest = fs::read_to_string(chapter.join("Cargo.toml"))?;
        let name = manifest.lines().find_map(|line| line.strip_prefix("name = "));
        words
            .push(format!("--package={}", name.context("a package has a name")?.trim_matches('"')));
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let hint = || format!("build the stages (`rustup target add {TARGET}` gets their target)");
    let mut programs = built("machine", TARGET, &words).with_context(hint)?;
    let reseed = place.join("reseed");
    run(Command::new("rustc")
        .args(["--edition=2024", "-O", "-Cstrip=symbols", "--target", TARGET, "-o"])
        .arg(&reseed)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("reseed.rs")))?;
    programs.push(reseed);
    Ok(programs)
}

/// Puts the disk together, and the archive that the kernel unpacks.
pub fn build(debian: &Debian, stages: &[PathBuf], place: &Path) -> anyhow::Result<Boot> {
    let first = place.join("first");
    if first.exists() {
        fs::remove_dir_all(&first)?;
    }
    let disk = folder(&first.join("disk"))?;
    fill(&disk, debian, stages)?;
    for name in ["bin", "modules"] {
        folder(&first.join(name))?;
    }
    fs::copy(debian.program("busybox")?, first.join("bin/busybox"))?;
    for (number, name) in MODULES.iter().enumerate() {
        let module = find(&debian.tree, &|file| file.starts_with(&format!("{name}.ko")))?
            .with_context(|| format!("the kernel's package has no module {name}"))?;
        decompress(&module, &first.join(format!("modules/{number}-{name}.ko")))?;
    }
    script(&first.join("init"), include_str!("../guest/init"))?;
    let kernel = find(&debian.tree, &|name| name.starts_with("vmlinuz"))?;
    Ok(Boot {
        bios: debian.tree.join("usr/share/seabios"),
        kernel: kernel.context("no kernel in its package")?,
        initramfs: archive(&first, &place.join("initramfs"))?,
    })
}

fn fill(disk: &Path, debian: &Debian, stages: &[PathBuf]) -> anyhow::Result<()> {
    for name in ["dev", "etc", "proc", "root", "run", "sys", "sys/fs/cgroup", "tmp", "var", CLONE] {
        fs::create_dir_all(disk.join(name))?;
    }
    for name in ["bin", "lib", "sbin"] {
        folder(&disk.join("usr").join(name))?;
        symlink(format!("usr/{name}"), disk.join(name))?;
    }
    let busybox = disk.join("usr/bin/busybox");
    fs::copy(debian.program("busybox")?, &busybox)?;
    let mut files = Vec::new();
    for Program {
        name,
        folder,
        is_busybox,
    } in programs()
    {
        let to = disk.join("usr").join(folder).join(name);
        if is_busybox {
            fs::hard_link(&busybox, to)?;
        } else {
            let file = debian.program(name)?;
            fs::copy(&file, to)?;
            files.push(file);
        }
    }
    let local = folder(&disk.join("usr/local/bin"))?;
    for library in debian.libraries(&files)? {
        let name = library.file_name().context("a library has a name")?;
        fs::copy(&library, disk.join("usr/lib").join(name))?;
    }
    for name in ["sbin/init", "bin/less", "bin/vi"] {
        fs::hard_link(&busybox, disk.join("usr").join(name))?;
    }
    fs::copy(&busybox, local.join("su"))?;
    for terminal in ["linux", "vt100", "xterm", "xterm-256color"] {
        let file = find(&debian.tree, &|name| name == terminal)?;
        let file = file.with_context(|| format!("no package has the terminal {terminal}"))?;
        let to = folder(&disk.join("usr/lib/terminfo").join(&terminal[..1]))?;
        fs::copy(file, to.join(terminal))?;
    }
    folder(&disk.join("usr/local/lib/machine"))?;
    for (name, text) in FILES {
        fs::write(disk.join(name), text)?;
    }
    for (name, text) in SCRIPTS {
        script(&disk.join(name), text)?;
    }
    let target = folder(&disk.join(CLONE).join("target/debug/examples"))?;
    for program in stages {
        copy_stage(program, &target, &local)?;
    }
    Ok(())
}

/// Examples that do nothing in there: for cgroup v1, and for chapter 13's filter.
const WITHOUT: [&str; 4] = ["call", "confined", "delegate", "named_hierarchy"];

/// A stage goes where cargo puts it in a clone, and into PATH.
fn copy_stage(program: &Path, examples: &Path, local: &Path) -> anyhow::Result<()> {
    let name = program.file_name().context("a program has a name")?;
    if name == "reseed" {
        fs::copy(program, local.join(name))?;
        return Ok(());
    }
    if WITHOUT.iter().any(|one| name == *one) {
        return Ok(());
    }
    let is_example = program.parent().is_some_and(|folder| folder.ends_with("examples"));
    let debug = examples.parent().context("examples are in a folder")?;
    let to = if is_example { examples } else { debug };
    fs::copy(program, to.join(name)).with_context(|| format!("copy {}", program.display()))?;
    if !is_example {
        let there = Path::new("/").join(CLONE).join("target/debug").join(name);
        symlink(there, local.join(name))?;
    }
    Ok(())
}
