// says: without its flag the child stays in the parent's
// hole: exercise-flag
        let child = job.spawn(CLONE_NEWPID, || {
