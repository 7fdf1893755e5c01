// says: Without the flag the child stays in its parent's
        let child = spawn(CLONE_NEWIPC, || {
