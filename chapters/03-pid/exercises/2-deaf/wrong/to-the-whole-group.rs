// says: only what is typed reaches the command by itself
// verdict: HANGS
        let signal = arrived.signal;
        if is_deaf(child.process.as_fd(), signal).unwrap_or(false) {
            return kill(&child.process, libc::SIGKILL);
        }
        if arrived.is_typed && self.terminal.is_lent() {
            return Ok(());
        }
        // SAFETY: kill takes two numbers.
        nix::errno::Errno::result(unsafe { libc::kill(-child.pid().as_raw(), signal) })?;
        Ok(())
