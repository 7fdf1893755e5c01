// says: the first process in a new PID namespace is its PID 1
// hole: exercise-flag
        let child = job.spawn(CLONE_NEWUTS | CLONE_NEWIPC, || {
