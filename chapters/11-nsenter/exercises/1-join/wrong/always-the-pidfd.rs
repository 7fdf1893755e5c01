// says: --one-by-one does not try
    let open = |(flag, file): &(CloneFlags, PathBuf)| anyhow::Ok((*flag, open(file)?));
    let files = namespaces.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let target = target.still_alive()?;
    let flags = namespaces.iter().fold(CloneFlags::empty(), |all, (flag, _)| all | *flag);
    if flags.is_empty() {
        return Ok(());
    }
    match setns(target.pidfd(), flags) {
        Err(Errno::EINVAL) => {}
        other => return other.map_err(|errno| refused(flags, errno)),
    }
    for (flag, file) in files {
        setns(file, flag).map_err(|errno| refused(flag, errno))?;
    }
