// says: a bit in SigIgn says that the command has chosen to ignore the signal
        let status = fs::read_to_string(Path::new("/proc").join(init.to_string()).join("status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or_default().trim();
        let caught = u64::from_str_radix(caught, 16).unwrap_or(0);
        if caught >> (arrived.signal as u64 - 1) & 1 == 0 {
            return kill(init, Signal::SIGKILL);
        }
        if arrived.child_has_it { Ok(()) } else { kill(init, arrived.signal) }
