// says: PR_SET_DUMPABLE 0 keeps root inside out
    Ok(())
