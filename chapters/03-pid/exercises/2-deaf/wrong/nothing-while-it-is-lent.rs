// says: only what is typed reaches the command by itself
        let signal = arrived.signal;
        if is_deaf(child.process.as_fd(), signal).unwrap_or(false) {
            return kill(&child.process, libc::SIGKILL);
        }
        if self.terminal.is_lent() {
            return Ok(());
        }
        kill(&child.process, signal)
