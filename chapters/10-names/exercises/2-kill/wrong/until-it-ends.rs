// says: send exactly the signal that was asked for
    let pidfd = container.open().with_context(|| format!("{name} has ended"))?;
    let is_deaf = is_deaf(pidfd.as_fd(), signal).unwrap_or(false);
    let signal = if is_deaf { libc::SIGKILL } else { signal };
    send(pidfd.as_fd(), signal).with_context(|| format!("{name}: send {shown}"))?;
