// says: return the error of each mount(2)
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let _ = mount(Some("proc"), at, Some("proc"), flags, NO_DATA);
