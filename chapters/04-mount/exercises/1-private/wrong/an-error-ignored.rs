// says: return the error of each mount(2)
    let _ = mount(NO_SOURCE, "/", NO_TYPE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NO_DATA);
