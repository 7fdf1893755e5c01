// says: the child waits at the gate for a byte
// hole: exercise-wait
        self.writer = None;
        Ok(())
