// says: wait in a loop, until no child has ended
    use rustix::process::waitpid;
    while let Some((pid, status)) = waitpid(None, WaitOptions::NOHANG).context("wait for all")? {
        if pid.as_raw_pid() == command.as_raw() {
            return Ok(match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => Some(Exit::Code(code as u8)),
                (None, signal) => signal.map(Exit::Signal),
            });
        }
    }
    Ok(None)
