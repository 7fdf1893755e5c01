// says: mount a new proc in the child
    mount(Some("/proc"), at, NO_TYPE, MsFlags::MS_BIND | MsFlags::MS_REC, NO_DATA)
        .context("bind /proc")?;
