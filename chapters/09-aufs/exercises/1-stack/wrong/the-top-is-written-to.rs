// says: a changed file is copied up
    let Some((top, below)) = stack.image.split_last() else {
        return Ok(());
    };
    for layer in below.iter().rev() {
        set("lowerdir+", layer)?;
    }
    set("upperdir", top)?;
    set("workdir", &stack.work)?;
