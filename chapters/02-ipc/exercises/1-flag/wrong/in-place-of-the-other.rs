// says: without its flag the child stays in the parent's
        let child = spawn(CLONE_NEWIPC, || {
