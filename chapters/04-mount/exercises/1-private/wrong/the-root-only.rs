// says: MS_REC does it for all mounts
    mount(NO_SOURCE, "/", NO_TYPE, MsFlags::MS_PRIVATE, NO_DATA).context("make / private")?;
