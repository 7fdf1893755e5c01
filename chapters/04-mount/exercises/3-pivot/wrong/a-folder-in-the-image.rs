// says: the old root needs no folder, and the image stays as it is
    env::set_current_dir(root).with_context(|| format!("chdir to {}", root.display()))?;
    fs::create_dir_all("old").context("make a folder for the old root")?;
    pivot_root(".", "old").with_context(|| format!("pivot_root to {}", root.display()))?;
    umount2("/old", MntFlags::MNT_DETACH).context("detach the old root")?;
    env::set_current_dir("/").context("chdir to the new root")?;
