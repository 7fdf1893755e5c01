// says: also of a tmpfs over
    if found.data()?.is_dir() {
        let _ = place
            .mount("tmpfs", name, CLOSED | MsFlags::MS_RDONLY, "mode=555,size=4k")
            .map(drop);
        return Ok(());
    }
    place.bind_read_only(&device("null", 1, 3)?, name, MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC)
