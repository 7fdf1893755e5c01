// says: the kernel drops a signal to a PID 1 that has no handler for it
// verdict: HANGS
        if arrived.is_typed && self.terminal.is_lent() {
            Ok(())
        } else {
            kill(&child.process, arrived.signal)
        }
