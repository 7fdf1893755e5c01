// says: overlay wants lowerdir highest first
    for layer in &stack.image {
        set("lowerdir+", layer)?;
    }
    set("upperdir", &stack.container)?;
    set("workdir", &stack.work)?;
