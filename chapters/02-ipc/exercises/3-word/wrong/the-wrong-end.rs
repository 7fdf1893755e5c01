// says: ENOENT is an answer, not a failure
// hole: exercise-parents
        drop(self.parents.take());
        self.childs
            .take()
            .map(End)
            .context("a process takes one end of a channel, once")
