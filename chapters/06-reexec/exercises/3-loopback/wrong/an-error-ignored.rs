// says: SIOCSIFFLAGS replaces all flags of an interface
    // SAFETY: SIOCGIFFLAGS reads the name from and writes the flags to an ifreq.
    let read = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &mut request) };
    Errno::result(read).context("read the flags of lo")?;
    // SAFETY: the call above has filled the union's flags.
    unsafe { request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short };
    // SAFETY: SIOCSIFFLAGS reads an ifreq.
    unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &request) };
