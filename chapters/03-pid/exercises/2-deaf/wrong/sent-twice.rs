// says: so the command has it already: do not send it again
        let signal = arrived.signal;
        if is_deaf(child.process.as_fd(), signal).unwrap_or(false) {
            return kill(&child.process, libc::SIGKILL);
        }
        kill(&child.process, signal)
