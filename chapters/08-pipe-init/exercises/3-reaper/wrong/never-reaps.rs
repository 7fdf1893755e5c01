// says: orphans become PID 1's children
    let _ = command;
    Ok(())
