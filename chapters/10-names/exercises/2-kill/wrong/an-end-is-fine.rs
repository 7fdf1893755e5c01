// says: open the pidfd first
// shows: root
    let Some(pidfd) = container.open() else {
        return Ok(());
    };
    let is_deaf = is_deaf(pidfd.as_fd(), signal).unwrap_or(false);
    send(pidfd.as_fd(), signal)
        .map_err(|errno| anyhow!("{name}: send {shown}: {}", errno.desc()))?;
