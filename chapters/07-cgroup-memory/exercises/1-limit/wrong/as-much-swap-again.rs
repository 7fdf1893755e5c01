// says: limit swap too, in bytes
    group.set(knob(group), &most.to_string())?;
    let (knob, value) = match group.version {
        Version::V2 => ("memory.swap.max", most.to_string()),
        Version::V1 => ("memory.memsw.limit_in_bytes", (2 * most.0).to_string()),
    };
    if group.has(knob) {
        return group.set(knob, &value);
    }
