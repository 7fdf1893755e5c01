// says: root inside must be your own uid outside
// hole: exercise-uid-map
        Ok(())
