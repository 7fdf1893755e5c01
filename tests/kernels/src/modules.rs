//! Which files does a kernel consist of, and which of its modules does a guest need?

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail, ensure};

use crate::tools::{find, run};

/// The modules that a guest loads, where the kernel has them as modules, in this order: the disk
/// and what it needs, the union file systems, and the network interface that a self test of the
/// judge makes. (The disk is no NVMe, which Debian's kernels have built in: QEMU 7.2 loses requests
/// to one now and then.)
const MODULES: [&str; 9] = [
    "virtio",
    "virtio_ring",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "virtio_blk",
    "overlay",
    "aufs",
    "veth",
];

/// A kernel, and the modules of it that a guest loads.
#[derive(Clone, Debug)]
pub struct Files {
    /// What the virtual machine boots.
    pub kernel: PathBuf,
    /// A folder with the `MODULES` that this kernel does not have built in.
    pub modules: PathBuf,
}

/// A kernel that you name, with its modules from `tree`; without it, from /lib/modules if the
/// kernel's file is named as there: `vmlinuz-6.8.0` and /lib/modules/6.8.0.
pub fn own(kernel: &Path, tree: Option<&Path>, folder: &Path) -> anyhow::Result<Files> {
    ensure!(kernel.is_file(), "{} is no file", kernel.display());
    let modules = folder.join("modules");
    if modules.exists() {
        fs::remove_dir_all(&modules)?;
    }
    let release = kernel.file_name().and_then(|name| name.to_str()?.strip_prefix("vmlinuz-"));
    let usual = release
        .map(|release| Path::new("/lib/modules").join(release))
        .filter(|tree| tree.is_dir());
    match tree.map(Path::to_owned).or(usual) {
        Some(tree) => collect(&tree, &modules)?,
        None => fs::create_dir_all(&modules)?,
    }
    Ok(Files {
        kernel: kernel.to_owned(),
        modules,
    })
}

/// Copies the `MODULES` that are somewhere below `tree` into the new folder `modules`, as
/// `0-virtio.ko` and so on.
pub fn collect(tree: &Path, modules: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(modules).with_context(|| format!("create {}", modules.display()))?;
    for (number, name) in MODULES.into_iter().enumerate() {
        let file = format!("{name}.ko");
        if let Some(module) = find(tree, &|name| name.starts_with(&file))? {
            decompress(&module, &modules.join(format!("{number}-{file}")))?;
        }
    }
    Ok(())
}

/// Writes a module plain, as insmod takes it.
///
/// # Errors
///
/// The file is no module, or its decompressor is not here.
pub fn decompress(module: &Path, to: &Path) -> anyhow::Result<()> {
    let program = match module.extension().and_then(|end| end.to_str()) {
        Some("ko") => "cat",
        Some("xz") => "xzcat",
        Some("zst") => "zstdcat",
        Some("gz") => "zcat",
        _ => bail!("{} is no module", module.display()),
    };
    run(Command::new(program).arg(module).stdout(File::create(to)?))
}
