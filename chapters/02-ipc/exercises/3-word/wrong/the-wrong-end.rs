// says: so each process closes the end that is not its own
// hole: exercise-parents
        drop(self.parents.take());
        self.childs
            .take()
            .map(End)
            .context("a process takes one end of a channel, once")
