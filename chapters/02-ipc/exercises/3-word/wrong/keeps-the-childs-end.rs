// says: as long as any process has a copy of its end
// hole: exercise-parents
// verdict: HANGS
        self.parents
            .take()
            .map(End)
            .context("a process takes one end of a channel, once")
