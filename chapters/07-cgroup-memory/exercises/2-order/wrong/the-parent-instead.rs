// says: the child goes into its groups while it waits at the gate
    groups.add(nix::unistd::Pid::this())?;
    gate.open()?;
