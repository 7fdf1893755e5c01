// says: makes the kernel end the child with its parent
    Ok(())
