// says: so each process must close the end that it does not use
// hole: exercise-parents
        drop(self.parents.take());
        self.childs
            .take()
            .map(End)
            .context("a process takes one end of a channel, once")
