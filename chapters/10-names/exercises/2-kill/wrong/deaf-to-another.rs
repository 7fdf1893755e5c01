// says: return the kernel's reason
    let pidfd = container.open().with_context(|| format!("{name} has ended"))?;
    let is_deaf = is_deaf(pidfd.as_fd(), libc::SIGTERM).unwrap_or(false);
    send(pidfd.as_fd(), signal)
        .map_err(|errno| anyhow!("{name}: send {shown}: {}", errno.desc()))?;
