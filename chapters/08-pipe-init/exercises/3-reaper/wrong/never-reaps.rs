// says: PID 1 must end with the command's status
// verdict: HANGS
    let _ = command;
    Ok(None)
