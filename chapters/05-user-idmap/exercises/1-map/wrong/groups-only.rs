// says: the map says whose files root's are
// hole: exercise-uid-map
        Ok(())
