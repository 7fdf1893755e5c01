// says: kill(2) takes whoever has it now
    let is_deaf = match container.open() {
        Some(pidfd) => {
            let is_deaf = is_deaf(pidfd.as_fd(), signal).unwrap_or(false);
            let _ = nix::sys::signal::kill(container.pid, Signal::try_from(signal)?);
            is_deaf
        }
        None => false,
    };
