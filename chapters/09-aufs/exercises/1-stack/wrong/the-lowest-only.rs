// says: overlay wants the highest first
    set("lowerdir+", &stack.image[0])?;
    set("upperdir", &stack.container)?;
    set("workdir", &stack.work)?;
