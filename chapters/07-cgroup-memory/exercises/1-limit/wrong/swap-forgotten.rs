// says: limit swap too, in bytes
    group.set(knob(group), &most.to_string())?;
