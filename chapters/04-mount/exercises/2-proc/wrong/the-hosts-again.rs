// says: mount a new proc after clone(2)
    mount(Some("/proc"), at, NO_TYPE, MsFlags::MS_BIND | MsFlags::MS_REC, NO_DATA).context("bind /proc")?;
