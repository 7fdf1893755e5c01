// says: init inherits
    Ok(Program::of_ours(init, "child").with(MESSAGE, channel.in_parent()?))
