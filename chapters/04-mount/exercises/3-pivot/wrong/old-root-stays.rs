// says: After pivot_root(2) the old root is still mounted
    env::set_current_dir(root).with_context(|| format!("chdir to {}", root.display()))?;
    pivot_root(".", ".").with_context(|| format!("pivot_root to {}", root.display()))?;
    env::set_current_dir("/").context("chdir to the new root")?;
