// says: return the errors of pivot_root(2) and umount2(2)
    let _ = env::set_current_dir(root);
    let _ = pivot_root(".", ".");
    let _ = umount2(".", MntFlags::MNT_DETACH);
    let _ = env::set_current_dir("/");
