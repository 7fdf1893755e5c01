// says: lo is down in a new network namespace
    // SAFETY: SIOCGIFFLAGS reads the name from an ifreq, which `request` is, and writes the flags.
    let read = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &mut request) };
    Errno::result(read).context("read the flags of lo (SIOCGIFFLAGS)")?;
    // SAFETY: the call above has filled the union's flags.
    unsafe { request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short };
