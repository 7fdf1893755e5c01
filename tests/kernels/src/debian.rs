//! Where does a kernel come from? From Debian's archive, through apt, with nothing installed.
//!
//! apt gets a state and a cache of its own under the kernel's folder, so that a suite can
//! be asked that this machine does not use; the mirror is the one that the machine uses.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use crate::{
    guests::Kernel,
    modules,
    tools::{entries, find, output, run},
};

/// The keys that sign Debian's archive (package debian-archive-keyring).
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The kernel's files: those in `cache`, or the archive's.
pub fn files(kernel: &Kernel, cache: &Path) -> anyhow::Result<modules::Files> {
    let place = cache.join(kernel.suite);
    let files = modules::Files {
        kernel: place.join("vmlinuz"),
        modules: place.join("modules"),
    };
    if !files.kernel.exists() {
        let work = cache.join(format!("{}.part", kernel.suite));
        if work.exists() {
            fs::remove_dir_all(&work)?;
        }
        fetch(kernel, &work)
            .with_context(|| format!("get the kernel of Debian's suite {}", kernel.suite))?;
        fs::rename(work.join("kernel"), &place)?;
        fs::remove_dir_all(&work)?;
    }
    Ok(files)
}

/// Leaves `kernel/vmlinuz` and `kernel/modules` in `work`.
fn fetch(kernel: &Kernel, work: &Path) -> anyhow::Result<()> {
    let config = configure(kernel.suite, work)?;
    let apt = |program: &str| {
        let mut command = Command::new(program);
        command.env("APT_CONFIG", &config).current_dir(work);
        command
    };
    run(apt("apt-get").args(["--quiet=2", "update"]))?;
    let packages = packages(&output(apt("apt-cache").args([
        "depends",
        "--recurse",
        "--no-recommends",
        "--no-suggests",
        "--no-conflicts",
        "--no-breaks",
        "--no-replaces",
        "linux-image-cloud-amd64",
    ]))?);
    let version = packages.iter().find_map(|name| name.strip_prefix("linux-image-"));
    let version = version.context("linux-image-cloud-amd64 depends on no kernel there")?;
    ensure!(
        version.starts_with(kernel.series),
        "its kernel is {version}, not one of {}x",
        kernel.series
    );
    run(apt("apt-get").args(["--quiet=2", "download"]).args(&packages))?;
    unpack(work)
}

/// A configuration for apt that touches nothing of this machine's.
fn configure(suite: &str, work: &Path) -> anyhow::Result<PathBuf> {
    for folder in ["state/lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(work.join(folder))
            .with_context(|| format!("create {}/{folder}", work.display()))?;
    }
    fs::write(work.join("status"), "")?;
    let source = format!(
        "deb [arch=amd64 target=Packages signed-by={KEYRING}] {} {suite} main\n",
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
        "APT::Architecture \"amd64\";".into(),
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

/// Takes the kernel and its modules out of the packages in `work`.
fn unpack(work: &Path) -> anyhow::Result<()> {
    let (kernel, tree) = (work.join("kernel"), work.join("tree"));
    fs::create_dir(&kernel)?;
    for package in entries(work)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "deb"))
    {
        run(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&tree))?;
    }
    let image = find(&tree, &|name| name.starts_with("vmlinuz"))?
        .context("no vmlinuz in the kernel's packages")?;
    fs::rename(image, kernel.join("vmlinuz"))?;
    modules::collect(&tree, &kernel.join("modules"))
}

#[cfg(test)]
mod tests {
    use super::packages;

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
}
