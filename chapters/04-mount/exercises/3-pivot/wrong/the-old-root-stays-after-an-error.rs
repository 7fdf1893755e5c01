// says: return the errors of pivot_root(2) and umount2(2)
    env::set_current_dir(root).with_context(|| format!("chdir to {}", root.display()))?;
    pivot_root(".", ".").with_context(|| format!("pivot_root to {}", root.display()))?;
    let _ = umount2(".", MntFlags::MNT_DETACH);
    env::set_current_dir("/").context("chdir to the new root")?;
