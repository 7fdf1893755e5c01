// says: move the child into its groups before you open the gate
    gate.open()?;
    groups.add(child.pid())?;
