// says: overlay wants lowerdir highest first
    set("lowerdir+", &stack.image[0])?;
    set("upperdir", &stack.container)?;
    set("workdir", &stack.work)?;
