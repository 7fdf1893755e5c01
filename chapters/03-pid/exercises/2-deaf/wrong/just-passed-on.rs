// says: the kernel drops a signal that PID 1 neither handles nor blocks
// verdict: HANGS
        if arrived.is_typed && self.terminal.is_lent() {
            Ok(())
        } else {
            kill(&child.process, arrived.signal)
        }
