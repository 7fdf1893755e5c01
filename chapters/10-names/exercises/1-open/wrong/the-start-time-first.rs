// says: open the pidfd first
// shows: root
    let start = start_time(pid.as_raw())?;
    let pidfd = pidfd_open(rustix::process::Pid::from_raw(pid.as_raw())?, PidfdFlags::empty());
    let pidfd = pidfd.ok()?;
    if has_ended(&pidfd) {
        return None;
    }
