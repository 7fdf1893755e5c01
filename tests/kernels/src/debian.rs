//! Where does a kernel come from? From Debian's archive, through apt, with nothing installed.
//!
//! apt gets a state and a cache of its own under the kernel's folder, so that a suite can
//! be asked that this machine does not use, and another architecture; the mirror is the one that
//! the machine uses.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use crate::{
    modules,
    tools::{entries, find, output, run},
};

/// The keys that sign Debian's archive (package debian-archive-keyring).
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A kernel of Debian's: the "cloud" flavour, made for virtual machines, of one suite.
#[derive(Debug)]
pub struct Kernel {
    /// The suite it is taken from.
    pub suite: &'static str,
    /// What its version begins with; empty where the suite has a new one every few weeks.
    pub series: &'static str,
    /// Whether it was to be had when this line was written. On CI it is then an error if it is not.
    pub expected: bool,
}

/// The kernel's files: those in `cache`, or the archive's.
///
/// # Errors
///
/// The archive has no kernel of this series, or cannot be reached.
pub fn files(kernel: &Kernel, cache: &Path) -> anyhow::Result<modules::Files> {
    let place = cache.join(kernel.suite);
    let files = modules::Files {
        kernel: place.join("vmlinuz"),
        modules: place.join("modules-in-order"),
    };
    if !files.kernel.exists() || !files.modules.exists() {
        let work = cache.join(format!("{}.part", kernel.suite));
        if work.exists() {
            fs::remove_dir_all(&work)?;
        }
        fetch(kernel, &work)
            .with_context(|| format!("get the kernel of Debian's suite {}", kernel.suite))?;
        if place.exists() {
            fs::remove_dir_all(&place)?; // an older version's
        }
        fs::rename(work.join("kernel"), &place)?;
        fs::remove_dir_all(&work)?;
    }
    Ok(files)
}

/// Leaves `kernel/vmlinuz` and `kernel/modules-in-order` in `work`.
fn fetch(kernel: &Kernel, work: &Path) -> anyhow::Result<()> {
    let archive = Archive::open(kernel.suite, "amd64", work)?;
    let packages = archive.kernel("linux-image-cloud-amd64")?;
    let version = packages.iter().find_map(|name| name.strip_prefix("linux-image-"));
    let version = version.context("linux-image-cloud-amd64 depends on no kernel there")?;
    ensure!(
        version.starts_with(kernel.series),
        "its kernel is {version}, not one of {}x",
        kernel.series
    );
    let tree = archive.unpack(&packages)?;
    let kernel = work.join("kernel");
    fs::create_dir(&kernel)?;
    let image = find(&tree, &|name| name.starts_with("vmlinuz"))?
        .context("no vmlinuz in the kernel's packages")?;
    fs::rename(image, kernel.join("vmlinuz"))?;
    modules::collect(&tree, &kernel.join("modules-in-order"))
}

/// A suite of Debian's archive, for one architecture.
#[derive(Debug)]
pub struct Archive {
    /// The folder for all that apt writes.
    work: PathBuf,
    /// apt's configuration.
    config: PathBuf,
}

impl Archive {
    /// Reads the suite's lists into `work`, a folder of its own.
    ///
    /// # Errors
    ///
    /// There is no apt, it knows no Debian archive, or the archive does not answer.
    pub fn open(suite: &str, architecture: &str, work: &Path) -> anyhow::Result<Archive> {
        let archive = Archive {
            work: work.to_owned(),
            config: configure(suite, architecture, work)?,
        };
        run(archive.apt("apt-get").args(["--quiet=2", "update"]))?;
        Ok(archive)
    }

    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("APT_CONFIG", &self.config).current_dir(&self.work);
        command
    }

    /// The packages that the kernel of this name is made of.
    ///
    /// # Errors
    ///
    /// apt's.
    pub fn kernel(&self, name: &str) -> anyhow::Result<Vec<String>> {
        Ok(packages(&output(self.apt("apt-cache").args([
            "depends",
            "--recurse",
            "--no-recommends",
            "--no-suggests",
            "--no-conflicts",
            "--no-breaks",
            "--no-replaces",
            name,
        ]))?))
    }

    /// Unpacks these packages, and nothing that they depend on, into the folder returned.
    ///
    /// # Errors
    ///
    /// The archive has none of that name, or it cannot be fetched.
    pub fn unpack(&self, packages: &[String]) -> anyhow::Result<PathBuf> {
        run(self.apt("apt-get").args(["--quiet=2", "download"]).args(packages))?;
        let tree = self.work.join("tree");
        let is_package = |path: &PathBuf| path.extension().is_some_and(|end| end == "deb");
        for package in entries(&self.work)?.into_iter().filter(is_package) {
            run(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&tree))?;
        }
        Ok(tree)
    }

    /// The source of each of these packages, with its version: `linux 6.1.176-1`.
    ///
    /// # Errors
    ///
    /// apt's.
    pub fn sources(&self, packages: &[String]) -> anyhow::Result<BTreeSet<String>> {
        let shown = output(self.apt("apt-cache").arg("show").args(packages))?;
        Ok(shown.split("\n\n").filter_map(source).collect())
    }
}

/// Of a package's record in apt's lists: `Source: NAME (VERSION)`, where they are not its own.
fn source(record: &str) -> Option<String> {
    let field = |name: &str| record.lines().find_map(|line| line.strip_prefix(name));
    let (package, version) = (field("Package: ")?, field("Version: ")?);
    let source = field("Source: ").unwrap_or(package);
    Some(match source.split_once(" (") {
        Some((name, version)) => format!("{name} {}", version.trim_end_matches(')')),
        None => format!("{source} {version}"),
    })
}

/// A configuration for apt that touches nothing of this machine's.
fn configure(suite: &str, architecture: &str, work: &Path) -> anyhow::Result<PathBuf> {
    for folder in ["state/lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(work.join(folder))
            .with_context(|| format!("create {}/{folder}", work.display()))?;
    }
    fs::write(work.join("status"), "")?;
    let source = format!(
        "deb [arch={architecture} target=Packages signed-by={KEYRING}] {} {suite} main\n",
        mirror()?
    );
    fs::write(work.join("sources.list"), source)?;
    let place = work.display();
    let lines = [
        format!("Dir::Etc::SourceList \"{place}/sources.list\";"),
        "Dir::Etc::SourceParts \"/dev/null\";".into(),
        "Dir::Etc::Preferences \"/dev/null\";".into(),
        "Dir::Etc::PreferencesParts \"/dev/null\";".into(),
        format!("Dir::State \"{place}/state\";"),
        format!("Dir::State::Status \"{place}/status\";"),
        format!("Dir::Cache \"{place}/cache\";"),
        format!("APT::Architecture \"{architecture}\";"),
        format!("APT::Architectures {{ \"{architecture}\"; }};"),
        "APT::Sandbox::User \"\";".into(),
        // Without this, an update that fetched nothing is a success.
        "APT::Update::Error-Mode \"any\";".into(),
    ];
    let config = work.join("apt.conf");
    fs::write(&config, lines.join("\n"))?;
    Ok(config)
}

/// The Debian archive that this machine's own apt uses.
fn mirror() -> anyhow::Result<String> {
    if let Ok(mirror) = env::var("DEBIAN_MIRROR") {
        return Ok(mirror);
    }
    let words =
        ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"];
    let places = output(Command::new("apt-get").args(words))?;
    let first = places.lines().next();
    Ok(first
        .context("apt knows no Debian archive: `apt-get update`, or name one: DEBIAN_MIRROR=URL")?
        .to_owned())
}

/// Of all that the kernel's package depends on, what the kernel is made of: one package,
/// or since 2026 one for the image and one for the modules.
fn packages(dependencies: &str) -> Vec<String> {
    let is_kernels = |name: &&str| {
        let kinds = ["linux-image-", "linux-binary-", "linux-modules-"];
        let version = kinds.iter().find_map(|kind| name.strip_prefix(kind));
        version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
    };
    dependencies.lines().filter(is_kernels).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{packages, source};

    #[test]
    fn a_kernel_is_one_package_or_two_or_three() {
        let one = "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-37-cloud-amd64\n\
                   linux-image-6.1.0-37-cloud-amd64\n  Depends: kmod\nlinux-base\n";
        assert_eq!(packages(one), ["linux-image-6.1.0-37-cloud-amd64"]);
        let split = "linux-image-cloud-amd64\nlinux-base-cloud-amd64\n\
                     linux-image-7.2.13+deb14-cloud-amd64\n\
                     linux-base-7.2.13+deb14-cloud-amd64\nlinux-binary-7.2.13+deb14-cloud-amd64\n\
                     linux-modules-7.2.13+deb14-cloud-amd64\n";
        assert_eq!(packages(split).len(), 3);
    }

    #[test]
    fn a_source_has_its_own_version_or_the_packages() {
        let own = "Package: linux-image-6.1.0-50-686\nSource: linux-signed-i386 (6.1.176+1)\n\
                   Version: 6.1.176-1";
        assert_eq!(source(own).as_deref(), Some("linux-signed-i386 6.1.176+1"));
        let same = "Package: dash\nVersion: 0.5.12-2\n";
        assert_eq!(source(same).as_deref(), Some("dash 0.5.12-2"));
        let named = "Package: libc6\nSource: glibc\nVersion: 2.36-9\n";
        assert_eq!(source(named).as_deref(), Some("glibc 2.36-9"));
        assert_eq!(source(""), None);
    }
}
