// says: open the pidfd first
// shows: root
    let raw = rustix::process::Pid::from_raw(container.pid.as_raw()).context("a pid")?;
    let pidfd = rustix::process::pidfd_open(raw, rustix::process::PidfdFlags::empty())
        .with_context(|| format!("{name} has ended"))?;
    let is_deaf = is_deaf(pidfd.as_fd(), signal).unwrap_or(false);
    send(pidfd.as_fd(), signal)
        .map_err(|errno| anyhow!("{name}: send {shown}: {}", errno.desc()))?;
