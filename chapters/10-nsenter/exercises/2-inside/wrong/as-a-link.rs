// says: knows no path to it
    let found = std::fs::read_link("/proc/self/cwd").context("read the link /proc/self/cwd")?;
    ensure!(found.is_absolute(), "the working directory is outside of the root: a way out");
