//! Which programs are measured, and where do they come from?

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, anyhow, ensure};
use ch13_privileges::{CapabilitySet, Filter};
use lab::exec::find;
use tempfile::TempDir;

/// The stages that are measured: package and binary.
pub const STAGES: [(&str, &str); 5] = [
    ("ch06-reexec", "06-reexec"),
    ("ch08-pipe-init", "08-pipe-init"),
    ("ch09-aufs", "09-aufs"),
    ("ch11-nsenter", "11-nsenter"),
    ("ch13-privileges", "13-privileges"),
];

/// The programs beside which they are measured, and their Debian packages.
pub const PEERS: [(&str, &str); 4] =
    [("unshare", "util-linux"), ("bwrap", "bubblewrap"), ("crun", "crun"), ("runc", "runc")];

/// The C programs: their sources are beside this file, in `c`.
const IN_C: [(&str, &[&str]); 3] = [
    ("true", &["true.c"]),
    ("stopwatch", &["stopwatch.c"]),
    ("floor", &["floor.c", "mounts.c", "walls.c"]),
];

/// Where the programs are, in a folder that every user can reach. Removed at the end.
pub struct Programs {
    /// The folder.
    pub folder: TempDir,
    /// strace(1), if it is here.
    pub strace: Option<PathBuf>,
}

impl Programs {
    /// Builds them all.
    ///
    /// # Errors
    ///
    /// There is no C compiler, or one of the compilers fails.
    pub fn build(with_static: bool) -> anyhow::Result<Programs> {
        let folder = tempfile::Builder::new().prefix("bench-").tempdir();
        let folder = folder.context("make a temporary folder")?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
        let programs = Programs {
            folder,
            strace: which("strace"),
        };
        programs.build_in_c()?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        let target = env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
        programs.build_nothing("nothing", &[])?;
        cargo(&root, &target, &[], "")?;
        programs.take("stages", &target.join("release"))?;
        if with_static {
            let host = host()?;
            let target = target.join("static");
            cargo(&root, &target, &["--target", &host], "-C target-feature=+crt-static")?;
            programs.take("static", &target.join(&host).join("release"))?;
            programs.build_nothing("nothing-static", &["-C", "target-feature=+crt-static"])?;
        }
        let filter = Filter::of_default(CapabilitySet::of_docker())?;
        let instructions = filter.context("the default profile has a filter")?.to_bytes();
        fs::write(programs.path("filter"), instructions).context("write the filter")?;
        Ok(programs)
    }

    /// The path of a program: `floor`, `stages/06-reexec`, `static/06-reexec`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn build_in_c(&self) -> anyhow::Result<()> {
        let compiler = which("cc").context(
            "no C compiler (cc): install gcc and libc6-dev (Debian), or gcc and glibc-static \
             (Fedora)",
        )?;
        for (name, sources) in IN_C {
            let source = |file| Path::new(env!("CARGO_MANIFEST_DIR")).join("c").join(file);
            let built = Command::new(&compiler)
                .args(["-O2", "-static", "-Wall", "-Wextra", "-Wno-format-truncation", "-o"])
                .arg(self.path(name))
                .args(sources.iter().map(source))
                .status()
                .context("run cc")?;
            ensure!(
                built.success(),
                "cc cannot build {name}: it needs the C library as a static one, and the \
                 kernel's headers (Debian: libc6-dev; Fedora: glibc-static and kernel-headers)"
            );
        }
        Ok(())
    }

    /// The empty program in Rust, as cargo(1) builds a stage in release.
    fn build_nothing(&self, name: &str, further: &[&str]) -> anyhow::Result<()> {
        let built = Command::new("rustc")
            .args(["--edition=2024", "-C", "opt-level=s", "-C", "lto", "-C", "strip=symbols"])
            .args(further)
            .arg("-o")
            .arg(self.path(name))
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("rust/nothing.rs"))
            .status()
            .context("run rustc")?;
        ensure!(built.success(), "rustc cannot build {name}: {built}");
        Ok(())
    }

    /// Copies the stages: another user may not reach the folder in which cargo builds.
    fn take(&self, name: &str, from: &Path) -> anyhow::Result<()> {
        let to = self.path(name);
        fs::create_dir(&to).with_context(|| format!("make {}", to.display()))?;
        for (_, stage) in STAGES {
            fs::copy(from.join(stage), to.join(stage))
                .with_context(|| format!("copy {stage} from {}", from.display()))?;
        }
        Ok(())
    }
}

/// Builds the stages in release.
fn cargo(root: &Path, target: &Path, further: &[&str], flags: &str) -> anyhow::Result<()> {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command
        .args(["build", "--release", "--bins", "--target-dir"])
        .arg(target)
        .args(further);
    for (package, _) in STAGES {
        command.args(["--package", package]);
    }
    if !flags.is_empty() {
        command.env("RUSTFLAGS", flags);
    }
    let status = command.current_dir(root).status().context("run cargo")?;
    ensure!(status.success(), "cargo build --release: {status}");
    Ok(())
}

/// The machine for which rustc(1) compiles: a static build needs it named.
fn host() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("run rustc -vV")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV names no host")
}

/// A program, also in the folders that an ordinary user's PATH lacks.
pub fn which(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [&path, OsStr::new("/usr/sbin:/sbin")].join(OsStr::new(":"));
    find(name.as_ref(), Some(&path))
}

/// The first word of a program's `--version` that begins with a digit.
pub fn version(program: &Path) -> anyhow::Result<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("run {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let is_number = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
    let number = text.split_whitespace().find(is_number);
    number
        .map(str::to_owned)
        .ok_or_else(|| anyhow!("{} tells no version", program.display()))
}
