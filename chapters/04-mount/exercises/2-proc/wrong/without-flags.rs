// says: a new proc has no flags but those that you name
    mount(Some("proc"), at, Some("proc"), MsFlags::empty(), NO_DATA).context("mount proc")?;
