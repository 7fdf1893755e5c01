// says: overlay wants the highest first
    for layer in stack.image.iter().rev() {
        set("lowerdir+", layer)?;
    }
    set("upperdir", &stack.container)?;
