//! Do the static programs of a release run? Boots a machine of their architecture with nothing in
//! it but Debian's kernel, busybox, bash and these programs, and starts each stage, as root and as
//! an ordinary user. `inside.sh` is what runs in there.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use clap::{Parser, ValueEnum};
use judge::process::wait_for_end;
use kernels::{
    build::{archive, script},
    debian::Archive,
    modules,
    tools::{entries, find},
};
use nix::unistd::Pid;

/// The suite of Debian that has the kernel and the programs. Everything is in memory there, and a
/// tmpfs takes what stages 9 and 12 do only since Linux 6.6.
const SUITE: &str = "trixie";

/// For the kernel, beside the name of its console.
const COMMAND_LINE: &str = "quiet loglevel=1 panic=-1 norandmaps mitigations=off";

/// What a guest writes at its end if all went well.
const ALL_WELL: &str = "exit status 0";

/// Starts each stage of a release in a virtual machine, as root and as an ordinary user.
///
/// It takes Debian's archive through apt, and installs nothing.
#[derive(Parser)]
struct Cli {
    /// The programs' architecture
    architecture: Architecture,
    /// The folder with the programs
    folder: PathBuf,
    /// How long the guest may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    bound: u64,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Architecture {
    #[value(name = "x86_64")]
    X86_64,
    Aarch64,
}

/// What is of one architecture: Debian's name for it, and its emulator with a machine.
struct Kind {
    debian: &'static str,
    qemu: &'static str,
    machine: &'static [&'static str],
    console: &'static str,
}

impl Architecture {
    fn kind(self) -> Kind {
        match self {
            Self::X86_64 => Kind {
                debian: "amd64",
                qemu: "qemu-system-x86_64",
                // As in src/qemu.rs.
                machine: &["-M", "pc", "-cpu", "qemu64,+rdrand,cx16=off"],
                console: "ttyS0",
            },
            Self::Aarch64 => Kind {
                debian: "arm64",
                qemu: "qemu-system-aarch64",
                machine: &["-M", "virt", "-cpu", "cortex-a72"],
                console: "ttyAMA0",
            },
        }
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("release: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let kind = cli.architecture.kind();
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/kernels");
    fs::create_dir_all(&place).with_context(|| format!("create {}", place.display()))?;
    let place = place.canonicalize()?.join(format!("release-{}", kind.debian));
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    let files = fetch(&kind, &place)?;
    let root = root(&cli.folder, &files, &place)?;
    let initramfs = archive(&root, &place.join("initramfs"))?;
    let said = boot(&kind, &files.kernel, &initramfs, &place, Duration::from_secs(cli.bound))?;
    print!("{said}");
    ensure!(
        said.lines().any(|line| line == ALL_WELL),
        "not every stage of {} does there what it should",
        cli.folder.display()
    );
    Ok(())
}

/// The kernel with its modules, and the unpacked packages in `place/tree`.
fn fetch(kind: &Kind, place: &Path) -> anyhow::Result<modules::Files> {
    let archive = Archive::open(SUITE, kind.debian, place)?;
    let mut packages = archive.kernel(&format!("linux-image-cloud-{}", kind.debian))?;
    packages.extend(["busybox-static", "bash-static"].map(str::to_owned));
    let tree = archive.unpack(&packages)?;
    let kernel = find(&tree, &|name| name.starts_with("vmlinuz"))?;
    let modules = place.join("modules");
    modules::collect(&tree, &modules)?;
    Ok(modules::Files {
        kernel: kernel.context("no vmlinuz in the kernel's packages")?,
        modules,
    })
}

/// The guest's root: the programs of the release, the two of Debian's, modules, and `inside.sh`.
fn root(programs: &Path, files: &modules::Files, place: &Path) -> anyhow::Result<PathBuf> {
    let root = place.join("root");
    for folder in
        ["bin", "stages", "modules", "proc", "sys", "dev", "tmp", "etc", "home", "mnt", "root"]
    {
        fs::create_dir_all(root.join(folder))?;
    }
    for (from, to) in [("busybox", "busybox"), ("bash-static", "bash")] {
        let from = place.join("tree/usr/bin").join(from);
        fs::copy(&from, root.join("bin").join(to))
            .with_context(|| format!("copy {}", from.display()))?;
    }
    for (from, to) in [(programs, "stages"), (&files.modules, "modules")] {
        for file in entries(from)?.iter().filter(|file| file.is_file()) {
            let name = file.file_name().context("a file has a name")?;
            fs::copy(file, root.join(to).join(name))
                .with_context(|| format!("copy {}", file.display()))?;
        }
    }
    let users = "root:x:0:0::/root:/bin/sh
user:x:1000:1000::/home:/bin/sh
";
    fs::write(root.join("etc/passwd"), users)?;
    fs::write(root.join("etc/group"), "root:x:0:\nuser:x:1000:\n")?;
    script(&root.join("init"), include_str!("init.sh"))?;
    script(&root.join("inside.sh"), include_str!("inside.sh"))?;
    Ok(root)
}

/// What the guest wrote, until it was off.
fn boot(
    kind: &Kind,
    kernel: &Path,
    initramfs: &Path,
    place: &Path,
    bound: Duration,
) -> anyhow::Result<String> {
    let (output, errors) = (place.join("output"), place.join("qemu"));
    let mut child = Command::new(kind.qemu)
        .args(["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-m", "1024"])
        .args(kind.machine)
        .args(["-accel", "tcg", "-serial", &format!("file:{}", output.display())])
        .arg("-kernel")
        .arg(kernel)
        .arg("-initrd")
        .arg(initramfs)
        .args(["-append", &format!("console={} {COMMAND_LINE}", kind.console)])
        .stdin(Stdio::null())
        .stderr(File::create(&errors)?)
        .spawn()
        .with_context(|| format!("run {}", kind.qemu))?;
    if !wait_for_end(Pid::from_raw(child.id() as i32), bound)? {
        child.kill()?;
        child.wait()?;
        bail!("the guest still runs after {} s: see {}", bound.as_secs(), output.display());
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{}: {status}: {}", kind.qemu, fs::read_to_string(errors)?.trim());
    }
    Ok(String::from_utf8_lossy(&fs::read(&output)?).replace('\r', ""))
}
