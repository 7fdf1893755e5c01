// says: return what it refuses
    let open = |(kind, file): &(Kind, std::path::PathBuf)| anyhow::Ok((*kind, open(file)?));
    let files = namespaces.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let target = target.still_alive()?;
    let all: Namespaces = namespaces.iter().map(|(kind, _)| *kind).collect();
    let flags = |some: Namespaces| CloneFlags::from_bits_retain(some.bits());
    if !one_by_one && !all.is_empty() {
        match setns(target.pidfd(), flags(all)) {
            Err(Errno::EINVAL) => {}
            other => return other.map_err(|errno| not_joined(all, errno)),
        }
    }
    for (kind, file) in files {
        let one = Namespaces::of(kind);
        let _ = setns(file, flags(one)).map_err(|errno| not_joined(one, errno));
    }
