// says: another /proc is in place
    let target = target.still_alive()?;
    let all: Namespaces = namespaces.iter().map(|(kind, _)| *kind).collect();
    let flags = |some: Namespaces| CloneFlags::from_bits_retain(some.bits());
    if !one_by_one && !all.is_empty() {
        return setns(target.pidfd(), flags(all)).map_err(|errno| not_joined(all, errno));
    }
    for (kind, file) in namespaces {
        let one = Namespaces::of(*kind);
        setns(open(file)?, flags(one)).map_err(|errno| not_joined(one, errno))?;
    }
