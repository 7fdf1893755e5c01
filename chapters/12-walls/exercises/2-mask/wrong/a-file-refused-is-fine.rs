// says: return the error of each mount
    if found.data()?.is_dir() {
        return place
            .mount("tmpfs", name, CLOSED | MsFlags::MS_RDONLY, "mode=555,size=4k")
            .map(drop);
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    let _ = place.bind_read_only(&device("null", 1, 3)?, name, flags);
    Ok(())
