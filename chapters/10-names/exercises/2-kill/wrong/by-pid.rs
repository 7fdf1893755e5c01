// says: kill(2) takes a number
    let pidfd = container.open().with_context(|| format!("{name} has ended"))?;
    let is_deaf = is_deaf(pidfd.as_fd(), signal).unwrap_or(false);
    // SAFETY: kill takes two numbers.
    let sent = unsafe { libc::kill(container.pid.as_raw(), signal) };
    nix::errno::Errno::result(sent).with_context(|| format!("{name}: send {shown}"))?;
