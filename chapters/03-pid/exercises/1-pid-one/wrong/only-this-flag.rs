// says: Without the flag the child stays in its parent's
// hole: exercise-flag
        let child = job.spawn(CLONE_NEWPID, || {
