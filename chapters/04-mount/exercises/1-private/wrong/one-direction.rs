// says: MS_PRIVATE cuts the tie in both directions
    mount(NO_SOURCE, "/", NO_TYPE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NO_DATA)
        .context("make every mount a slave")?;
