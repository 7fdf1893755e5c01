// says: follow no link, and open nothing
// shows: user
        let inside = ResolveFlags::empty();
        let flags = OFlags::PATH | OFlags::CLOEXEC;
