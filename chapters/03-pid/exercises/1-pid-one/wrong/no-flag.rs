// says: the first process that is cloned into a new PID namespace is its PID 1
// hole: exercise-flag
        let child = job.spawn(CLONE_NEWUTS | CLONE_NEWIPC, || {
