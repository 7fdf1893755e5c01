// says: follow no link, and open nothing
        let inside = ResolveFlags::BENEATH;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
