// says: if you ignore it, the command runs among the host's files
    let _ = env::set_current_dir(root);
    let _ = pivot_root(".", ".");
    let _ = umount2(".", MntFlags::MNT_DETACH);
    let _ = env::set_current_dir("/");
