// says: wait for every child, not only for the command
// verdict: HANGS
    while let Some((pid, status)) = wait(WaitOptions::empty()).context("wait for all")? {
        if pid.as_raw_pid() == command.as_raw() {
            return Ok(match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => Some(Exit::Code(code as u8)),
                (None, signal) => signal.map(Exit::Signal),
            });
        }
    }
    Ok(None)
