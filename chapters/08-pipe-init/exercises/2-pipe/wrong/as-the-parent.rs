// says: write each line as one object
    Ok(Program::of_ours(init, "parent").with(MESSAGE, channel.in_child()?))
