// says: whoever ignores that of pivot_root runs the command among the host's files
    let _ = env::set_current_dir(root);
    let _ = pivot_root(".", ".");
    let _ = umount2(".", MntFlags::MNT_DETACH);
    let _ = env::set_current_dir("/");
