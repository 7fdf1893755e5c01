// says: return the kernel's reason
    let pidfd = container.open().with_context(|| format!("{name} has ended"))?;
    let is_deaf = is_deaf(pidfd.as_fd(), signal).unwrap_or(false);
    let _ = send(pidfd.as_fd(), signal);
