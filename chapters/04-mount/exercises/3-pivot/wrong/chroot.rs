// says: chroot(2) changes what / means to one process
    env::set_current_dir(root).with_context(|| format!("chdir to {}", root.display()))?;
    nix::unistd::chroot(".").with_context(|| format!("chroot to {}", root.display()))?;
