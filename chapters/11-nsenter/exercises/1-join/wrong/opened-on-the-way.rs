// says: behind the mount namespace /proc is another
    let target = target.still_alive()?;
    let flags = namespaces.iter().fold(CloneFlags::empty(), |all, (flag, _)| all | *flag);
    if !one_by_one && !flags.is_empty() {
        return setns(target.pidfd(), flags).map_err(|errno| refused(flags, errno));
    }
    for (flag, file) in namespaces {
        setns(open(file)?, *flag).map_err(|errno| refused(*flag, errno))?;
    }
