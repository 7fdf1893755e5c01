// says: send it SIGKILL, or the terminal hangs
// verdict: HANGS
        if arrived.is_typed && self.terminal.is_lent() {
            return Ok(());
        }
        if is_deaf(child.process.as_fd(), arrived.signal).unwrap_or(false) {
            return kill(&child.process, libc::SIGKILL);
        }
        kill(&child.process, arrived.signal)
