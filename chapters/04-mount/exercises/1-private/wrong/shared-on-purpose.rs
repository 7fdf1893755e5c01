// says: its mounts are still tied to the originals
    mount(NO_SOURCE, "/", NO_TYPE, MsFlags::MS_REC | MsFlags::MS_SHARED, NO_DATA)
        .context("make every mount shared")?;
