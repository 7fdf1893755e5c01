// says: ask first, and send then
    let pidfd = container.open().with_context(|| format!("{name} has ended"))?;
    send(pidfd.as_fd(), signal)
        .map_err(|errno| anyhow!("{name}: send {shown}: {}", errno.desc()))?;
    let is_deaf = is_deaf(pidfd.as_fd(), signal)?;
