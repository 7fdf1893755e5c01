// says: wait for every child, not only for the command
    let command = rustix::process::Pid::from_raw(command.as_raw());
    let ended = rustix::process::waitpid(command, WaitOptions::NOHANG).context("wait")?;
    let Some((_, status)) = ended else {
        return Ok(None);
    };
    Ok(match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Some(Exit::Code(code as u8)),
        (None, signal) => signal.map(Exit::Signal),
    })
