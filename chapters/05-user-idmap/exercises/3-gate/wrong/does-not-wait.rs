// says: the child waits at the gate for a byte
// hole: exercise-wait
        self.0.in_child().map(drop)
