// says: PID 1 ends with the command's status
// verdict: HANGS
    let _ = command;
    Ok(None)
