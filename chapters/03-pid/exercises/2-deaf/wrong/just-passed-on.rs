// says: the kernel drops a signal to a PID 1 that has no handler for it
// verdict: HANGS
        if arrived.child_has_it { Ok(()) } else { kill(init, arrived.signal) }
