// says: a new proc has only the flags that you name
    mount(Some("proc"), at, Some("proc"), MsFlags::empty(), NO_DATA).context("mount proc")?;
