// says: every mount is locked
    let _ = (found, device);
    Ok(())
