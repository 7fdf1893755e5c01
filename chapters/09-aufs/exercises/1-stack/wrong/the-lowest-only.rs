// says: begin with the highest
    set("lowerdir+", &stack.image[0])?;
    set("upperdir", &stack.container)?;
    set("workdir", &stack.work)?;
