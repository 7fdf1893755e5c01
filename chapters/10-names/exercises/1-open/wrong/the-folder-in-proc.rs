// says: the start time in /proc/PID/stat
    let pidfd = OwnedFd::from(std::fs::File::open(format!("/proc/{pid}")).ok()?);
    let start = start_time(pid.as_raw())?;
    if has_ended(&pidfd) {
        return None;
    }
