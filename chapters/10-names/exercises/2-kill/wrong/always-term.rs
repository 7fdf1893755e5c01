// says: send exactly the signal that was asked for
    let pidfd = container.open().with_context(|| format!("{name} has ended"))?;
    let is_deaf = is_deaf(pidfd.as_fd(), libc::SIGTERM).unwrap_or(false);
    send(pidfd.as_fd(), libc::SIGTERM).with_context(|| format!("{name}: send"))?;
