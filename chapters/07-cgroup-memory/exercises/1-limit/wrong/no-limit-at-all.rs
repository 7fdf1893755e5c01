// says: a limit without one on swap only makes
    Ok(())
