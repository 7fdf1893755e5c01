// says: an upperdir needs a workdir
    for layer in stack.image.iter().rev() {
        set("lowerdir+", layer)?;
    }
    set("upperdir", &stack.container)?;
