// says: limit swap too, in bytes
    Ok(())
