// says: limit swap too, in bytes
    let most = (most.0 / 1024).to_string();
    group.set(knob(group), &most)?;
    let (knob, value) = match group.version {
        Version::V2 => ("memory.swap.max", "0"),
        Version::V1 => ("memory.memsw.limit_in_bytes", most.as_str()),
    };
    if group.has(knob) {
        return group.set(knob, value);
    }
