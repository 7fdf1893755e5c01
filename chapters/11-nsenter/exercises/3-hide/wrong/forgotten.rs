// says: PR_SET_DUMPABLE 0 hides its memory
    Ok(())
