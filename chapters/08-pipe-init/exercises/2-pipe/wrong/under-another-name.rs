// says: init inherits
    Ok(Program::of_ours(init, "child").with("channel", channel.in_child()?))
