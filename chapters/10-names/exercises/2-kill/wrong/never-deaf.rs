// says: return the kernel's reason
    let pidfd = container.open().with_context(|| format!("{name} has ended"))?;
    let is_deaf = false;
    send(pidfd.as_fd(), signal)
        .map_err(|errno| anyhow!("{name}: send {shown}: {}", errno.desc()))?;
