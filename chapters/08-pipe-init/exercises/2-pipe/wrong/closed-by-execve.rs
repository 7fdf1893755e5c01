// says: init inherits
    let _end = channel.in_child()?;
    Ok(Program::of_ours(init, "child"))
