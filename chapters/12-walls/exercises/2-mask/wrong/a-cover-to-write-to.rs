// says: every mount is locked
    if found.data()?.is_dir() {
        return place.mount("tmpfs", name, CLOSED, "mode=555,size=4k").map(drop);
    }
    place.bind_read_only(&device("null", 1, 3)?, name, MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC)
