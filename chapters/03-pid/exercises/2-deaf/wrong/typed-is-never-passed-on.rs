// says: in a pipeline the terminal is not lent to the command
        let signal = arrived.signal;
        if is_deaf(child.process.as_fd(), signal).unwrap_or(false) {
            return kill(&child.process, libc::SIGKILL);
        }
        if arrived.is_typed {
            return Ok(());
        }
        kill(&child.process, signal)
