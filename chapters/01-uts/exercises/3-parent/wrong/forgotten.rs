// says: prctl(2) PR_SET_PDEATHSIG makes the kernel end the child with its parent
    Ok(())
