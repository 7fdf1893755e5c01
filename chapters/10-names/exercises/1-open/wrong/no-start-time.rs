// says: the start time in /proc/PID/stat
    let pidfd = pidfd_open(rustix::process::Pid::from_raw(pid.as_raw())?, PidfdFlags::empty());
    let (pidfd, start) = (pidfd.ok()?, 0);
    if has_ended(&pidfd) {
        return None;
    }
