// says: mount a new proc in the child, after clone(2)
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), flags, NO_DATA).context("mount proc")?;
