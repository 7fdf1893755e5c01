// says: move the child into its groups before you open the gate
    groups.add(nix::unistd::Pid::this())?;
    gate.open()?;
