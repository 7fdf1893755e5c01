// says: a parent that sends it too sends it twice
        let signal = arrived.signal;
        if is_deaf(child.process.as_fd(), signal).unwrap_or(false) {
            return kill(&child.process, libc::SIGKILL);
        }
        kill(&child.process, signal)
