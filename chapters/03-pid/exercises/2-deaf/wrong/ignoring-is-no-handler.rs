// says: a bit in SigIgn means that the command chose to ignore the signal
        let signal = arrived.signal;
        let status = fs::read_to_string(format!("/proc/{}/status", child.pid()))?;
        let caught = u64::from_str_radix(field(&status, "SigCgt:"), 16).unwrap_or(0);
        if caught >> (signal - 1) & 1 == 0 {
            return kill(&child.process, libc::SIGKILL);
        }
        if arrived.is_typed && self.terminal.is_lent() {
            Ok(())
        } else {
            kill(&child.process, signal)
        }
