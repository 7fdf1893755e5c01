// says: the child needs CLONE_NEWIPC
        let child = spawn(CLONE_NEWUTS, || {
