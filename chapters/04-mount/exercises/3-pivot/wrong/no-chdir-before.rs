// says: call chdir(2) to the new root before pivot_root
    pivot_root(".", ".").with_context(|| format!("pivot_root to {}", root.display()))?;
    umount2(".", MntFlags::MNT_DETACH).context("detach the old root")?;
    env::set_current_dir("/").context("chdir to the new root")?;
