// says: a limit without one on swap only makes
    group.set(knob(group), &most.to_string())
