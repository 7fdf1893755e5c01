// says: a workdir beside an upperdir
    for layer in stack.image.iter().rev() {
        set("lowerdir+", layer)?;
    }
    set("upperdir", &stack.container)?;
