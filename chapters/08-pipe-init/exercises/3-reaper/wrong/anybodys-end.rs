// says: wait for every child, not only for the command
    let _ = command;
    while let Some((_, status)) = wait(WaitOptions::NOHANG).context("wait for all")? {
        return Ok(match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Some(Exit::Code(code as u8)),
            (None, signal) => signal.map(Exit::Signal),
        });
    }
    Ok(None)
