// says: begin with the highest
    for layer in &stack.image {
        set("lowerdir+", layer)?;
    }
    set("upperdir", &stack.container)?;
    set("workdir", &stack.work)?;
