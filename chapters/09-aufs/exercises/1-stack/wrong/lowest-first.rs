// says: overlay wants its lowerdir highest first
    for layer in &stack.image {
        set(c"lowerdir+", layer)?;
    }
    set(c"upperdir", &stack.container)?;
    set(c"workdir", &stack.work)?;
