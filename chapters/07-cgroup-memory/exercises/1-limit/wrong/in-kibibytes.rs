// says: the kernel counts in bytes
        let limit = (self.limit.0 * 1024).to_string();
        group.set(Self::knob(group), &limit)?;
        let (knob, value) = match group.version {
            Version::V1 => ("memory.memsw.limit_in_bytes", limit.as_str()),
            Version::V2 => ("memory.swap.max", "0"),
        };
        if group.has(knob) { group.set(knob, value) } else { Ok(()) }
