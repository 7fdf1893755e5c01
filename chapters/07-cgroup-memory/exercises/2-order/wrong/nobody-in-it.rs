// says: the child goes into its groups while it waits at the gate
    gate.open()?;
