// says: when the last copy of the other end is closed
// hole: exercise-parents
// verdict: HANGS
        self.parents
            .take()
            .map(End)
            .context("a process takes one end of a channel, once")
