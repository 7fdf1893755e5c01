// says: a new proc has only the flags that you name
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let flags = flags | MsFlags::MS_RDONLY;
    mount(Some("proc"), at, Some("proc"), flags, NO_DATA)
        .with_context(|| format!("mount proc on {}", at.display()))?;
