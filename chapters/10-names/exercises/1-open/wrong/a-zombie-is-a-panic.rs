// says: the start time in /proc/PID/stat
    let pidfd = pidfd_open(rustix::process::Pid::from_raw(pid.as_raw())?, PidfdFlags::empty());
    let pidfd = pidfd.ok()?;
    let start = start_time(pid.as_raw()).unwrap();
    if has_ended(&pidfd) {
        return None;
    }
