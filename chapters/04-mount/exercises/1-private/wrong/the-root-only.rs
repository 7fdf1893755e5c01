// says: MS_REC for all of them
    mount(NO_SOURCE, "/", NO_TYPE, MsFlags::MS_PRIVATE, NO_DATA).context("make / private")?;
