// says: what the command gives up, PID 1
// hole: exercise-stay
    Ok(())
