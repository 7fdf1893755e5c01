// says: overlay wants its lowerdir highest first
    set(c"lowerdir+", &stack.image[0])?;
    set(c"upperdir", &stack.container)?;
    set(c"workdir", &stack.work)?;
