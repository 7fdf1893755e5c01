// says: knows no path to it
    let found = std::fs::read_link("/proc/self/cwd").context("read the link /proc/self/cwd")?;
    let is_inside = found.is_absolute();
