// says: clone the child with CLONE_NEWIPC
        let child = spawn(CLONE_NEWUTS, || {
